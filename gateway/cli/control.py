"""The command line's side of the control socket."""

import json
import socket
from pathlib import Path
from typing import Any

from gateway.control.location import short_name
from gateway.errors import GatewayError, Refused

_PATIENCE = 15.0
"""Seconds for a reply."""


class NothingRuns(GatewayError):
    """No gateway is running on this data directory."""


def ask(data_dir: Path, verb: str, **args: str) -> Any:
    """Ask the running process and return its result.

    Raises:
        NothingRuns: nobody listens.
        Refused: it answered no, or not at all.
    """
    request = json.dumps({"verb": verb, "args": args}).encode() + b"\n"
    try:
        reply = json.loads(_exchange(data_dir / "parley.sock", request))
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise NothingRuns(f"nothing runs on {data_dir}") from error
    except (OSError, ValueError) as error:
        raise Refused(f"the running gateway does not answer ({error})") from error
    if not reply["ok"]:
        raise Refused(reply["error"])
    return reply["result"]


def _exchange(path: Path, request: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_PATIENCE)
        with short_name(path) as name:
            connection.connect(name)
        connection.sendall(request)
        with connection.makefile("rb") as replies:
            return replies.readline()
