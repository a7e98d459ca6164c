"""Lines typed in earlier chats."""

from collections.abc import Sequence
from pathlib import Path

_KEPT = 1_000


class History:
    """A file of lines, newest last; a chat must not fail for want of it."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def load(self) -> Sequence[str]:
        """Return the newest lines, and drop the rest once they are many."""
        if self._path is None:
            return ()
        try:
            lines = self._path.read_text(encoding="utf-8", errors="replace").splitlines()
            if len(lines) > 2 * _KEPT:
                self._path.write_text("".join(f"{line}\n" for line in lines[-_KEPT:]))
        except OSError:
            return ()
        return lines[-_KEPT:]

    def add(self, line: str) -> None:
        if self._path is None or not line.strip():
            return
        try:
            self._path.touch(mode=0o600)
            with self._path.open("a", encoding="utf-8", errors="replace") as file:
                file.write(" ".join(line.splitlines()) + "\n")
        except OSError:
            return
