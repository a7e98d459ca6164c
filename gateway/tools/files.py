"""What the file tools share: threads, words for what goes wrong, and kinds of files."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import filetype  # type: ignore[import-untyped]  # it ships no types

from gateway.errors import Refused
from gateway.workspace import read_beneath

T = TypeVar("T")

_LOOK = 8192
"""Bytes that show what kind of file it is."""


async def in_thread(path: str, work: Callable[[], T]) -> T:
    """Do blocking work on a file apart from the loop; what goes wrong becomes words."""
    try:
        return await asyncio.to_thread(work)
    except OSError as error:
        raise Refused(f"{shown(path)} {_problem(error)}.") from error


def _problem(error: OSError) -> str:
    match error:
        case FileNotFoundError():
            return "does not exist"
        case IsADirectoryError():
            return "is a folder"
        case PermissionError() if error.strerror:
            return error.strerror
        case _:
            return "cannot be used"


def shown(name: str) -> str:
    """Return a file's name as it can be printed and stored."""
    return name if name.isprintable() else ascii(name)


def kind_of(data: bytes) -> str:
    """Say what a file is by its first bytes, never by its name."""
    guess: str | None = filetype.guess_mime(data[:_LOOK])
    if guess is not None:
        return guess
    return "application/octet-stream" if is_binary(data) else "text/plain"


def is_binary(data: bytes) -> bool:
    if b"\0" in data[:_LOOK]:
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return True
    return False


def read_text(workspace: Path, path: str, limit: int) -> str:
    """Return a text file's words.

    Raises:
        OSError: as `read_beneath`.
        Refused: it is no text, or longer than `limit` bytes.
    """
    data = read_beneath(workspace, path, limit + 1)
    if len(data) > limit:
        raise Refused(f"{shown(path)} is longer than {limit // 1_000_000} MB; search it instead.")
    if is_binary(data):
        raise Refused(f"{shown(path)} is no text but {kind_of(data)}.")
    return data.decode()
