"""The machine dies: whatever part of the unsynced writes the disk has, nothing acknowledged is lost.

The product's own store works, and all that SQLite and the lock do to their files is noted
(`tests.fakes.disk`). For each moment at which the power may fail the files are made as the disk
may have them, the store is started on them, and what it holds is compared with what was
acknowledged by that moment.
"""

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import pytest

from gateway.store import engine
from gateway.store.statements import Transaction
from tests.fakes.disk import Disk, Event, Synced
from tests.fakes.power_loss import Image, images
from tests.gateway.store.diary import Diary, Found, look, opened

pytestmark = pytest.mark.promise("R1")


async def first_start(folder: Path, diary: Diary) -> None:
    """From nothing at all to some words, alone and in groups, and the end."""
    async with opened(folder) as store:
        for word in ("one", "two"):
            await diary.keep(store, word)
        await diary.keep_pair(store, "pair")
        assert await store.inbox.waiting() >= 0  # whoever reads is there, too
        together = [diary.keep(store, f"group {number}") for number in range(5)]
        await asyncio.gather(*together, diary.keep_pair(store, "pair in group"))
        await diary.keep(store, "last")


async def checkpoints(folder: Path, diary: Diary) -> None:
    """The log is moved into the database time and again, and begun anew."""
    async with opened(folder) as store:
        await store._database.write(often_moved)
        for number in range(8):
            await diary.keep(store, f"message {number}")
            await diary.keep_pair(store, f"pair {number % 3}")


async def two_lives(folder: Path, diary: Diary) -> None:
    """Closed in order, and started again."""
    for life in ("first", "second"):
        async with opened(folder) as store:
            await diary.keep(store, f"{life} one")
            await diary.keep_pair(store, f"{life} two")


async def erasing(folder: Path, diary: Diary) -> None:
    """A person is forgotten, among others who go on."""
    async with opened(folder) as store:
        said = ["secret one", "secret two"]
        for word in said:
            await diary.keep(store, word, user="7")
        await diary.keep(store, "other")
        await diary.erase(store, "7", said)
        await diary.keep(store, "later")


def often_moved(transaction: Transaction) -> None:
    transaction._connection.execute("PRAGMA wal_autocheckpoint=20")


LIVES: tuple[Callable[[Path, Diary], Awaitable[None]], ...] = (
    first_start, checkpoints, two_lives, erasing,
)  # fmt: skip


async def lived(life: Callable[[Path, Diary], Awaitable[None]], folder: Path) -> list[Event]:
    """Return all that happened to the disk."""
    disk = Disk(folder)
    with disk.watching():
        await life(folder, Diary(disk))
    return disk.events


async def all_found(found: Iterable[Image]) -> list[Found]:
    outcomes = []
    for image in found:
        with tempfile.TemporaryDirectory() as folder:
            outcomes.append(await look(Path(folder), image))
    return outcomes


@pytest.mark.parametrize("life", LIVES)
async def test_r1_what_was_acknowledged_survives_a_power_loss(
    life: Callable[[Path, Diary], Awaitable[None]], tmp_path: Path
) -> None:
    events = await lived(life, tmp_path)
    outcomes = await all_found(images(events, seed=1, between=20, tries=2))
    print(len(events), len(outcomes))
    assert [str(one) for one in outcomes if not one.is_sound] == []
