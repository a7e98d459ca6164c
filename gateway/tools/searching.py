"""Looks for a pattern in files, within bounds; also as a program of its own.

As a program it is given a directory's descriptor, reads `{"folder", "pattern"}` as JSON and
writes `{"lines"}` or `{"problem"}`. A pattern from a model may take for ever to match and
cannot be interrupted, but a process can be ended.
"""

import json
import re
import resource
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from gateway.workspace import files_beneath, read_beneath

_HITS = 100
_LINE = 200
_FILES = 5_000
_FILE_BYTES = 2_000_000
_ALL_BYTES = 50_000_000
_CPU_SECONDS = 10
_MEMORY = 1_000_000_000


def search(root: Path | int, folder: str, pattern: re.Pattern[str]) -> list[str]:
    """Return `path:line: text` of matching lines, in order, and a word about what was left out.

    Raises:
        OSError: as `files_beneath`.
    """
    files = _files(root, folder)
    small = list(_small(files))
    hits = (hit for path in small for hit in _hits(root, path, pattern))
    lines = list(islice(hits, _HITS + 1))
    if len(lines) > _HITS:
        lines[_HITS:] = [f"[Only the first {_HITS} are shown.]"]
    if len(small) < len(files):
        lines.append(f"[{len(files) - len(small)} files were too large to be searched.]")
    return lines


def _files(root: Path | int, folder: str) -> list[tuple[str, int]]:
    try:
        return files_beneath(root, folder, _FILES)
    except NotADirectoryError:
        return [(folder, len(read_beneath(root, folder, _FILE_BYTES + 1)))]


def _small(files: list[tuple[str, int]]) -> Iterator[str]:
    room = _ALL_BYTES
    for path, size in files:
        if size <= min(room, _FILE_BYTES):
            room -= size
            yield path


def _hits(root: Path | int, path: str, pattern: re.Pattern[str]) -> Iterator[str]:
    data = b""
    with suppress(OSError):  # gone, or no plain file: there is nothing to find in it
        data = read_beneath(root, path, _FILE_BYTES)
    if b"\0" in data:
        return
    for number, line in enumerate(data.decode(errors="replace").split("\n"), 1):
        if found := pattern.search(line):
            start = max(0, found.start() - _LINE // 2)
            yield f"{path}:{number}: {line[start : start + _LINE].strip()}"


def main() -> None:
    for kind, most in ((resource.RLIMIT_CPU, _CPU_SECONDS), (resource.RLIMIT_AS, _MEMORY)):
        with suppress(ValueError, OSError):  # stricter already, or not to be had here
            resource.setrlimit(kind, (most, most))
    asked = json.load(sys.stdin)
    json.dump(_answer(int(sys.argv[1]), asked["folder"], asked["pattern"]), sys.stdout)


def _answer(root: int, folder: str, written: str) -> dict[str, Any]:
    try:
        return {"lines": search(root, folder, re.compile(written, re.IGNORECASE))}
    except OSError:
        return {"problem": f"{folder} cannot be searched."}
    except (re.error, RecursionError, OverflowError, MemoryError) as error:
        return {"problem": f"That is no pattern that can be used: {error}"}


if __name__ == "__main__":
    main()
