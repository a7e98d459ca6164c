"""What `parley doctor` finds on this machine, without asking anyone else."""

import os
import platform
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

_GB = 1_000_000_000
_OLDEST_SQLITE = (3, 35, 0)
"""The first that returns the rows it changes."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `cure` says what to do where something is wrong."""

    state: Literal["ok", "warn", "fail"]
    subject: str
    words: str
    cure: str = ""


def look_at_versions() -> Iterator[Finding]:
    ours = f"parley {version('parley-gateway')} on Python {platform.python_version()}"
    yield Finding("ok", "versions", f"{ours}, {platform.system()} {platform.machine()}")
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        needed = ".".join(map(str, _OLDEST_SQLITE))
        yield Finding(
            "fail", "sqlite", sqlite3.sqlite_version, f"use a Python with SQLite {needed} or newer"
        )
    else:
        yield Finding("ok", "sqlite", sqlite3.sqlite_version)


def look_at_directory(path: Path) -> Iterator[Finding]:
    """Look at permissions and space where everything will be kept."""
    there = next(place for place in (path, *path.parents) if place.exists())
    if not there.is_dir():
        yield Finding("fail", "data_dir", f"{there} is a file", "name another data_dir")
        return
    if not os.access(there, os.W_OK | os.X_OK):
        cure = "run `chown` on it, or name another data_dir"
        yield Finding("fail", "data_dir", f"{there} cannot be written to", cure)
    elif there != path:
        yield Finding("ok", "data_dir", f"{path} will be made at the first start")
    elif stat.S_IMODE(path.stat().st_mode) & 0o077:
        words = f"{path} can be read by other users"
        yield Finding("warn", "data_dir", words, f"run `chmod 700 {path}`")
    else:
        yield Finding("ok", "data_dir", str(path))
    yield _look_at_space(shutil.disk_usage(there).free)


def _look_at_space(free: int) -> Finding:
    words = f"{free / _GB:.1f} GB free"
    if free >= _GB:
        return Finding("ok", "disk", words)
    state: Literal["warn", "fail"] = "warn" if free > _GB // 10 else "fail"
    return Finding(state, "disk", words, "make room: with a full disk no message is taken in")
