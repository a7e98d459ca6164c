"""The machine dies: whatever of the unsynced writes is on the disk, nothing acknowledged is lost.

The product's own store works, and all that SQLite and the lock do to their files is noted
(`tests.fakes.disk`). For each moment at which the power may fail the files are made as the disk
may have them, the store is started on them, and what it holds is compared with what was
acknowledged by that moment.
"""

import asyncio
import random
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path

import pytest

from gateway.errors import StoreFailed
from gateway.store import engine
from gateway.store.statements import Transaction
from tests.fakes.disk import Disk, Event, Synced, Told
from tests.fakes.power_loss import Image, Sampling, everything, images, state_at
from tests.gateway.store.diary import Diary, Found, look, opened

pytestmark = pytest.mark.promise("R1")

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where a store is started on what is left: a real disk would only be slower there."""
Life = Callable[[Path, Diary], Awaitable[None]]


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


LIVES: tuple[Life, ...] = (
    first_start, checkpoints, two_lives, erasing,
)  # fmt: skip


async def lived(life: Life, folder: Path) -> list[Event]:
    """Return all that happened to the disk."""
    disk = Disk(folder)
    with disk.watching():
        await life(folder, Diary(disk))
    return disk.events


async def all_found(found: Iterable[Image]) -> list[Found]:
    outcomes = []
    for image in found:
        with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
            outcomes.append(await look(Path(folder), image))
    return outcomes


FEW = Sampling(between=10, tries=1)
MANY = Sampling(between=1_000, tries=4)
BEFORE_SYNCS = Sampling(between=0, tries=0)
LATER = Sampling(between=2, tries=1, at_syncs=False)


async def unsound(events: Sequence[Event], sampling: Sampling, *, since: int = 0) -> list[str]:
    """Start the store on all that may be left, print how often, and return what was wrong."""
    outcomes = await all_found(images(events, sampling, seed=1, since=since))
    cuts = len(sampling.cuts(events, since, random.Random(1)))
    print(f"{cuts} cuts, {len(outcomes)} images")  # noqa: T201 - what a long run has looked at
    assert outcomes
    return [str(one) for one in outcomes if not one.is_sound]


@pytest.mark.parametrize("life", LIVES)
async def test_r1_what_was_acknowledged_survives_a_power_loss(life: Life, tmp_path: Path) -> None:
    assert await unsound(await lived(life, tmp_path), FEW) == []


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("life", LIVES)
async def test_r1_what_was_acknowledged_survives_many_power_losses(
    life: Life, tmp_path: Path
) -> None:
    assert await unsound(await lived(life, tmp_path), MANY) == []


@pytest.mark.parametrize("how", ["NORMAL", "OFF"])
async def test_without_a_sync_for_each_commit_power_losses_lose_what_was_acknowledged(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pragmas = tuple(one.replace("=FULL", f"={how}") for one in engine._PRAGMAS)
    assert f"synchronous={how}" in pragmas
    with monkeypatch.context() as lax:
        lax.setattr(engine, "_PRAGMAS", pragmas)
        events = await lived(first_start, tmp_path)
    assert "lost={'" in str(await unsound(events, BEFORE_SYNCS))


async def lived_again(past: Sequence[Event]) -> list[Event]:
    """Start on what a killed process has left while the machine goes on; deliver all again."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as name:
        folder = Path(name)
        state_at(past, len(past)).image(everything).lay(folder)
        disk = Disk(folder, past)
        diary = Diary(disk)
        with disk.watching():
            async with opened(folder) as store:
                for number in range(3):
                    await diary.keep(store, f"word {number}")
                power_fails_here = len(disk.events)
    return disk.events[:power_fails_here]


async def three_words(folder: Path, diary: Diary) -> None:
    async with opened(folder) as store:
        for number in range(3):
            await diary.keep(store, f"word {number}")


async def test_r1_what_a_killed_process_left_unsynced_is_acknowledged_only_once_it_is_synced(
    tmp_path: Path,
) -> None:
    """A repeat is acknowledged without a write; what it repeats may never have been synced."""
    events = await lived(three_words, tmp_path)
    told = events.index(Told("+word 0"))
    kills = [n for n, event in enumerate(events) if isinstance(event, Synced) and n > told]
    for kill in kills:
        again = await lived_again(events[:kill])
        assert await unsound(again, LATER, since=len(again)) == []


async def failing(folder: Path, nth: int, life: Life) -> tuple[list[Event], Diary, int]:
    """Live with a disk that fails one sync; tell how often it was asked for one."""
    disk = Disk(folder, obeys=lambda n: n != nth)
    diary = Diary(disk)
    with disk.watching():
        try:
            await life(folder, diary)
        except StoreFailed as error:
            diary.refusals.append(str(error))
            await life(folder, diary)
    return disk.events, diary, disk.syncs


@pytest.mark.parametrize(
    "sampling", [LATER, pytest.param(FEW, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
)
async def test_r1_a_failed_sync_is_told_and_nothing_rests_on_it(
    sampling: Sampling, tmp_path: Path
) -> None:
    """What such a sync was for is never taken for kept, here nor by the next process."""
    (tmp_path / "0").mkdir()
    _, _, syncs = await failing(tmp_path / "0", 0, failed_syncs)
    refusals = []
    for nth in range(1, syncs + 1):
        folder = tmp_path / str(nth)
        folder.mkdir()
        events, diary, _ = await failing(folder, nth, failed_syncs)
        refusals += diary.refusals
        (failed,) = [
            n
            for n, event in enumerate(events, 1)
            if isinstance(event, Synced) and not event.is_done
        ]
        assert await unsound(events, sampling, since=failed) == []
        again = await lived_again(events[:failed])
        assert await unsound(again, sampling, since=len(again)) == []
    # The other syncs are those of a checkpoint: it is done later, and nobody waits for it.
    assert len(refusals) == 10
    assert all("the disk reports an error" in words for words in refusals)


async def failed_syncs(folder: Path, diary: Diary) -> None:
    async with opened(folder) as store:
        await store._database.write(often_moved)
        for number in range(3):
            await diary.keep(store, f"word {number}")
        await diary.keep_pair(store, "pair")
