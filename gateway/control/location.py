"""Where the control socket is, under a name that the system takes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.errors import ConfigInvalid

_LONGEST = 100
"""Bytes; systems take 103 or 107 for the name of a socket."""
_HANDLES = Path("/proc/self/fd")
"""Gives any open directory a short name, on Linux."""


@contextmanager
def short_name(path: Path) -> Iterator[str]:
    """Lend a name under which the socket can be bound, or connected to, in the body.

    Raises:
        ConfigInvalid: there is none.
    """
    size = len(os.fsencode(path))
    if size <= _LONGEST:
        yield str(path)
        return
    if not _HANDLES.is_dir():
        raise ConfigInvalid(
            "data_dir",
            f"must be shorter: the control socket's path may have {_LONGEST} bytes (got {size})",
        )
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"{_HANDLES}/{directory}/{path.name}"
    finally:
        os.close(directory)
