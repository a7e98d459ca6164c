import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gateway.commands.pair import PAIRING_WORDS
from gateway.errors import SendRefused, StoreBusy
from gateway.ids import ExternalUser, PlatformName
from gateway.inbound.announcing import Announcing, put_into_words
from gateway.messages import Address, Choice, Limits
from gateway.replies.replies import Replies
from gateway.store.store import SqlStore
from tests.fakes.adapter import EditingAdapter
from tests.fakes.clock import FakeClock
from tests.messages import direct

FACTS = {"platform": "slack", "user": "T:U", "name": "*Ann*", "link": "l_1", "at": "0"}
FACTS |= {"own_platform": "telegram", "own_user": "42", "is_you": ""}


class Said:
    """Takes notices; the account `blocked` takes none, and `slow` waits to be let go."""

    def __init__(self) -> None:
        self.texts: list[tuple[str, str]] = []
        self.release = asyncio.Event()
        self.troubles: list[Exception] = []

    async def notice(
        self,
        address: Address,
        text: str,
        *,
        choices: Sequence[Choice] = (),
        announcement: int | None = None,
    ) -> bool:
        if self.troubles:
            raise self.troubles.pop()
        if address.external_user == "closing":
            return False
        if address.external_user == "blocked":
            raise SendRefused("blocked")
        if address.external_user == "slow":
            await self.release.wait()
        self.texts.append((address.external_user, text))
        return True


async def no_code(*_: object) -> str | None:
    return None


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    made = SqlStore(f"sqlite:///{tmp_path / 'parley.db'}", clock=FakeClock())
    await made.open()
    yield made
    await made.close()


async def test_each_is_said_once_and_none_waits_for_another(store: SqlStore) -> None:
    said, tasks = Said(), asyncio.TaskGroup()
    async with tasks:

        def spawn(work: Coroutine[Any, Any, None]) -> None:
            tasks.create_task(work)

        announcing = Announcing(store.announcements, said, no_code, spawn, FakeClock())
        for user in ("slow", "blocked", "ann"):
            await store.announcements.add(direct(user), "burnt", {})
        announcing.stir()
        announcing.stir()
        while not said.texts:
            await asyncio.sleep(0)
        await announcing.say_all()
        said.release.set()
    assert [user for user, _ in said.texts] == ["ann", "slow"]
    assert await store.announcements.waiting() == []


async def test_r1_what_a_close_cut_off_stays_to_be_said(store: SqlStore) -> None:
    await store.announcements.add(direct("closing"), "burnt", {})
    async with asyncio.TaskGroup() as tasks:
        spawn = partial(_start, tasks)
        await Announcing(store.announcements, Said(), no_code, spawn, FakeClock()).say_all()
    assert len(await store.announcements.waiting()) == 1


async def test_r1_what_the_store_could_not_note_is_said_a_little_later(store: SqlStore) -> None:
    said, clock = Said(), FakeClock()
    said.troubles.append(StoreBusy("the disk is full", 5.0))
    await store.announcements.add(direct("ann"), "burnt", {})
    async with asyncio.TaskGroup() as tasks:
        spawn = partial(_start, tasks)
        announcing = Announcing(store.announcements, said, no_code, spawn, clock)
        await announcing.say_all()
        await clock.until_sleeping()
        assert said.texts == []
        await clock.advance(5.0)
    assert len(said.texts) == 1
    assert await store.announcements.waiting() == []


async def test_what_was_not_said_is_said_after_a_restart(store: SqlStore) -> None:
    await store.announcements.add(direct("ann"), "burnt", {})
    lives = [Said(), Said()]
    for said in lives:
        async with asyncio.TaskGroup() as tasks:
            spawn = partial(_start, tasks)
            announcing = Announcing(store.announcements, said, no_code, spawn, FakeClock())
            await announcing.say_all()
    assert [len(said.texts) for said in lives] == [1, 0]


async def test_t6_a_strangers_code_is_made_when_it_is_told(store: SqlStore) -> None:
    said = Said()

    async def new_code(_: PlatformName, user: ExternalUser) -> str | None:
        return "ABCDEFGH" if user == "ann" else None

    for user in ("ann", "settled"):
        await store.announcements.add(direct(user), "stranger", {})
    async with asyncio.TaskGroup() as tasks:
        spawn = partial(_start, tasks)
        announcing = Announcing(store.announcements, said, new_code, spawn, FakeClock())
        await announcing.say_all()
    assert said.texts == [("ann", PAIRING_WORDS.format(code="ABCDEFGH"))]
    assert await store.announcements.waiting() == []


async def test_r6_what_was_said_before_a_kill_is_not_said_again(store: SqlStore) -> None:
    """The kill comes after the last word was delivered, and before that was noted."""
    platform = EditingAdapter(FakeClock(), Limits(text=200), "bot")
    await store.announcements.add(direct("ann"), "confirm", FACTS)
    for _ in range(2):
        replies = Replies(store.outbox, {platform.name: platform}, FakeClock())
        (waiting,) = await store.announcements.waiting()
        words, choices = put_into_words(waiting.kind, waiting.facts)
        await replies.recover()
        await replies.notice(waiting.address, words, choices=choices, announcement=waiting.number)
    shown = list(platform.messages.values())
    assert len(shown) > 1
    assert len({one.text for one in shown}) == len(shown)
    assert [bool(one.choices) for one in shown] == [False] * (len(shown) - 1) + [True]


def _start(tasks: asyncio.TaskGroup, work: Coroutine[Any, Any, None]) -> None:
    tasks.create_task(work)


@pytest.mark.parametrize("kind", ["asks", "confirm", "linked", "unlinked", "refused"])
def test_names_are_shown_as_they_are_with_their_ids(kind: str) -> None:
    text, _ = put_into_words(kind, FACTS)
    assert r"\*Ann\* (`slack:T:U`)" in text


def test_t17_buttons_name_the_link_and_fit_every_platform() -> None:
    for kind in ("asks", "confirm", "linked"):
        _, choices = put_into_words(kind, {**FACTS, "link": "l_" + "0" * 26})
        assert choices
        assert all(len(choice.value.encode()) <= 64 for choice in choices)
