"""The other side of the example in docs/adapters.md: people who write letters in a folder."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from typing_extensions import override

from gateway.clock import Clock
from tests.journeys.platform import Person, Platform, Shown

_numbers = itertools.count(1)


class Writer(Person):
    """Writes to a folder, and reads what comes into another."""

    def __init__(self, office: "Letters", name: str) -> None:
        self._office = office
        self.name = name.lower()
        self.identity = f"letters:{self.name}"

    @override
    def writes(self, text: str) -> None:
        self._office.written.append(text)
        folder = self._office.folder / "in"
        draft = folder / f"{self.name}-{next(_numbers):04}"
        draft.write_text(text)
        draft.rename(draft.with_suffix(".txt"))

    @override
    def sends(self, name: str, data: bytes, words: str = "") -> None:
        raise NotImplementedError("letters are words")

    @override
    def presses(self, label: str) -> None:
        raise NotImplementedError("letters have no buttons")

    @override
    def sees(self) -> list[Shown]:
        folder = self._office.folder / "out" / self.name
        letters = sorted(folder.glob("*.txt"), key=lambda one: (one.stat().st_mtime_ns, one.name))
        return [Shown(path.read_text()) for path in letters]

    @override
    def preview(self) -> str:
        return ""

    @override
    async def until(self, holds: Callable[[], bool]) -> None:
        async with self._office.clock.timeout(200):
            while not holds():
                await self._office.clock.sleep(0.2)


class Letters(Platform):
    """A folder with letters."""

    name: ClassVar[str] = "letters"
    owner: ClassVar[str] = "letters:ann"

    def __init__(self, clock: Clock, folder: Path) -> None:
        super().__init__(clock, folder)
        self.written: list[str] = []

    @property
    @override
    def entry(self) -> dict[str, Any]:
        return {"folder": str(self.folder)}

    @property
    @override
    def secrets(self) -> list[str]:
        return []

    @override
    def person(self, name: str = "Ann") -> Writer:
        return Writer(self, name)

    @override
    def said(self) -> list[str]:
        return self.written

    @override
    def before_start(self) -> None:
        return

    @override
    async def connected(self) -> None:
        return

    @override
    def complaints(self) -> list[str]:
        return []
