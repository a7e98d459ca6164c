import asyncio
import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.control.server import control_socket
from gateway.errors import Refused


async def ask(path: Path, line: bytes) -> Any:
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(line + b"\n")
    answer = json.loads(await reader.readline())
    writer.close()
    await writer.wait_closed()
    return answer


async def greet(args: Mapping[str, Any]) -> str:
    if args["name"] == "Eve":
        raise Refused("Not you.")
    return f"hello {args['name']}"


async def test_a_request_is_answered_on_a_socket_of_our_own(tmp_path: Path) -> None:
    path = tmp_path / "parley.sock"
    async with control_socket(path, {"greet": greet}):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        asked = b'{"verb": "greet", "args": {"name": "Ann"}}'
        assert await ask(path, asked) == {"ok": True, "result": "hello Ann"}
        refused = b'{"verb": "greet", "args": {"name": "Eve"}}'
        assert await ask(path, refused) == {"ok": False, "error": "Not you."}
    assert not path.exists()


async def test_nonsense_is_answered_with_an_error(tmp_path: Path) -> None:
    path = tmp_path / "parley.sock"
    async with control_socket(path, {"greet": greet}):
        for line in (b"nonsense", b"[]", b'{"verb": "none"}', b'{"verb": "greet"}', b"\xff"):
            assert (await ask(path, line))["ok"] is False


async def test_a_socket_left_behind_by_a_crash_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "parley.sock"
    path.touch()
    async with control_socket(path, {"greet": greet}):
        answer = await ask(path, b'{"verb": "greet", "args": {"name": "Ann"}}')
        assert answer["ok"] is True
