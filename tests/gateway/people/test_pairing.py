import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.ids import ExternalUser, PlatformName
from gateway.people.pairing import Pairing
from gateway.store.store import SqlStore
from tests.fakes.clock import FakeClock
from tests.messages import direct, message

HOUR, DAY = 3600.0, 86_400.0
PLATFORM = PlatformName("telegram")


class World:
    """A store, a clock and the pairing desk between them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.store = SqlStore(f"sqlite:///{folder / 'parley.db'}", clock=self.clock)
        self.pairing = Pairing(self.store, folder / "pairing.key", self.clock, lambda: None)

    async def code(self, user: str = "42") -> str | None:
        """Have a stranger ask, and return the code that they are told, if they are."""
        await self.pairing.ask(message(address=direct(user)), "not_paired")
        told = [one for one in await self.store.announcements.waiting() if one.kind == "stranger"]
        for one in told:
            await self.store.announcements.told(one.number)
        return await self.pairing.new_code(PLATFORM, ExternalUser(user)) if told else None

    async def role(self, user: str) -> str | None:
        person = await self.store.people.find(PlatformName("telegram"), ExternalUser(user))
        return None if person is None else person.role


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path)
    await made.store.open()
    yield made
    await made.store.close()


async def test_a_code_lets_its_stranger_in_once(world: World) -> None:
    code = await world.code()
    assert code is not None
    request = await world.pairing.approve(f" {code.lower()} ")
    assert request is not None
    assert request.external_user == "42"
    assert await world.role("42") == "member"
    assert await world.pairing.approve(code) is None


async def test_t4_a_code_has_forty_bits_and_dies_after_an_hour(world: World) -> None:
    code = await world.code()
    assert code is not None
    assert len(code) == 8
    await world.clock.advance(HOUR + 1)
    assert await world.pairing.approve(code) is None
    assert await world.role("42") is None


async def test_t1_a_stranger_gets_one_code_a_day(world: World) -> None:
    assert await world.code() is not None
    assert await world.code() is None
    assert await world.code("43") is not None
    await world.clock.advance(DAY + 1)
    assert await world.code() is not None


async def test_t6_the_database_does_not_hold_the_code(world: World) -> None:
    code = await world.code()
    assert code is not None
    await world.store.close()
    kept = b"".join(path.read_bytes() for path in world.folder.glob("parley.db*"))
    assert code.encode() not in kept
    mode = stat.S_IMODE((world.folder / "pairing.key").stat().st_mode)
    assert mode == 0o600
    await world.store.open()


async def test_a_wrong_code_lets_nobody_in(world: World) -> None:
    await world.code()
    assert await world.pairing.approve("AAAAAAAA") is None


@pytest.mark.parametrize("damaged", [b"", b"short"])
async def test_t6_a_key_that_a_crash_cut_short_is_made_anew(world: World, damaged: bytes) -> None:
    key = world.folder / "pairing.key"
    key.write_bytes(damaged)
    code = await world.code()
    assert code is not None
    assert len(key.read_bytes()) == 32
    assert await world.pairing.approve(code) is not None
