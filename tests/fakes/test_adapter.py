"""The platforms in memory keep what any platform that is sent to keeps, or they would be lies."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typing_extensions import override

from tests.contracts.adapter_contract import MarkdownContract, SendingContract, Stage
from tests.fakes.account import Account
from tests.fakes.adapter import (
    DraftingAdapter,
    EditingAdapter,
    FindingAdapter,
    KeyedAdapter,
    MarkingAdapter,
    PlainAdapter,
    SilentEditingAdapter,
    StreamingAdapter,
)
from tests.fakes.clock import FakeClock
from tests.fakes.talk import an_address
from tests.journeys.platform import Person, Shown

KINDS = [
    PlainAdapter,
    EditingAdapter,
    DraftingAdapter,
    KeyedAdapter,
    FindingAdapter,
    SilentEditingAdapter,
    StreamingAdapter,
    MarkingAdapter,
]


class Reader(Person):
    """Sees what a platform in memory shows, and cannot write to it."""

    def __init__(self, adapter: PlainAdapter, folder: Path) -> None:
        self._adapter = adapter
        self._folder = folder

    @override
    def sees(self) -> list[Shown]:
        seen = []
        for one in self._adapter.messages.values():
            if one.files:
                names = zip(one.files, one.captions, strict=True)
                seen += [Shown(caption, file=self._content(name)) for name, caption in names]
            else:
                seen.append(Shown(one.text))
        return seen

    def _content(self, name: str) -> bytes:
        """Return what the contract wrote into the file of this name: only names are kept."""
        return (self._folder / f"copy of {name}").read_bytes()

    @override
    def preview(self) -> str:
        drafts = self._adapter.drafts if isinstance(self._adapter, DraftingAdapter) else {}
        return "".join(drafts.values()).replace("*", "")

    @override
    def writes(self, text: str) -> object:
        raise NotImplementedError

    @override
    def sends(self, name: str, data: bytes, words: str = "") -> object:
        raise NotImplementedError

    @override
    def presses(self, label: str) -> None:
        raise NotImplementedError

    @override
    async def until(self, holds: Callable[[], bool]) -> None:
        raise NotImplementedError


@pytest.fixture(params=KINDS)
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Stage:
    clock = FakeClock()
    adapter: PlainAdapter = request.param(clock)
    account = Account(clock, tmp_path)
    person = Reader(adapter, tmp_path)
    return Stage(adapter, lambda: request.param(clock), account, person, an_address(), tmp_path)


class TestPlatformsInMemory(SendingContract, MarkdownContract):
    pass
