"""An agent at work on a real store, with runners that play scripts."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

from gateway.contracts.inbox import KeepOutcome
from gateway.contracts.roles import Role
from gateway.contracts.runner import TurnOptions
from gateway.contracts.stores import Turn
from gateway.events import ReplyEvent, TextDelta
from gateway.ids import (
    AccountName,
    AgentId,
    EventKey,
    ExternalUser,
    Lane,
    MessageId,
    PersonId,
    PlatformName,
    SessionId,
)
from gateway.messages import Address, Message, Place
from gateway.pools.kit import AgentKit
from gateway.pools.pool import Pool
from gateway.sessions.compaction import Compactor
from gateway.settings import AgentSettings, CompactionSettings
from gateway.store.store import SqlStore
from gateway.transcript import Content, Entry
from tests.fakes.clock import FakeClock
from tests.fakes.money import purse_over
from tests.fakes.provider import FakeProvider
from tests.fakes.runner import FakeRunners
from tests.messages import keep_one

AGENT = AgentId("main")
KEY = "main:local:u1:dm"
PERSON = PersonId("person_1")
SETTINGS = AgentSettings(
    provider="demo",
    model="big",
    models=("small",),
    compaction=CompactionSettings(max_tokens=None),
    chat_timeout=1800.0,
    idle_timeout=600.0,
)


class House:
    """One agent's pool and what it stands on."""

    def __init__(
        self,
        store: SqlStore,
        clock: FakeClock,
        tasks: asyncio.TaskGroup,
        agent: AgentId = AGENT,
    ) -> None:
        self.agent = agent
        self.store = store
        self.clock = clock
        self.make = FakeRunners(clock=clock)
        self.providers: list[FakeProvider] = []
        self.refuses: Exception | None = None
        """Raised instead of making a kit."""
        self._numbers = itertools.count(1)
        self.pool = Pool(agent, SETTINGS, store, self.make_kit, tasks, clock)

    def make_kit(self, settings: AgentSettings) -> AgentKit:
        if self.refuses is not None:
            raise self.refuses
        provider = FakeProvider()
        self.providers.append(provider)
        compactor = Compactor(
            self.store.transcript,
            provider,
            "small",
            settings.compaction,
            purse_over(self.store, self.clock, agent=settings),
            self.clock,
        )
        return AgentKit(settings, provider, self.make, compactor)

    async def session(self, key: str = KEY) -> SessionId:
        return (await self.pool.resolve_session(key, PERSON)).id

    async def turn(self, text: str = "hi", key: str = KEY) -> Turn:
        """Keep a message and begin its turn, as the drain does; one before it is over."""
        await self.end_turn(key)
        number = next(self._numbers)
        address = Address(
            PlatformName("local"), AccountName("local"), ExternalUser("u1"), Place("c", None)
        )
        message = Message(
            EventKey(f"e{number}"), MessageId(f"m{number}"), address, "Ann", text, self.clock.now()
        )
        kept = await keep_one(
            self.store.inbox,
            message,
            lane=Lane(key),
            session_key=key,
            agent=self.agent,
            person=PERSON,
        )
        assert kept is KeepOutcome.KEPT
        return await self.begin_again(key)

    async def end_turn(self, key: str = KEY) -> None:
        if (head := await self.store.inbox.head(Lane(key))) is not None:
            await self.store.inbox.close(head, "done")

    async def begin_again(self, key: str = KEY) -> Turn:
        """Begin the turn that is not over, as after a restart."""
        head = await self.store.inbox.head(Lane(key))
        assert head is not None
        return await self.store.turns.begin(head)

    async def say(
        self,
        text: Content,
        key: str = KEY,
        *,
        turn: Turn | None = None,
        model: str | None = None,
        pool: Pool | None = None,
    ) -> list[ReplyEvent]:
        """Take a whole turn and return what it showed."""
        turn = turn or await self.turn(key=key)
        options = TurnOptions(turn=turn, model=model, role=Role.OWNER)
        session = await self.session(key)
        async with aclosing((pool or self.pool).chat(session, text, options=options)) as events:
            return [event async for event in events]

    async def entries(self, key: str = KEY) -> list[Entry]:
        stored = await self.store.transcript.everything(await self.session(key))
        return [one.entry for one in stored]


def text_of(events: Sequence[ReplyEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


@asynccontextmanager
async def open_store(folder: Path, clock: FakeClock) -> AsyncIterator[SqlStore]:
    store = SqlStore(f"sqlite:///{folder / 'parley.db'}", clock=clock)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def open_house(folder: Path) -> AsyncIterator[House]:
    clock = FakeClock()
    async with open_store(folder, clock) as store, asyncio.TaskGroup() as tasks:
        house = House(store, clock, tasks)
        yield house
        await house.pool.close()
