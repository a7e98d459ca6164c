"""A whole gateway in this process: real parts and a real store, fake accounts, a fake model.

Time is moved by hand, in steps that wait for the store, so that nothing depends on the
speed of the machine.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from gateway import app, parts
from gateway.contracts.adapter import Deliver, FetchesFiles
from gateway.errors import SendRefused
from gateway.ids import AccountName, ExternalUser, MessageId, PlatformName
from gateway.inbound.health import AccountHealth
from gateway.messages import Address, Attachment, Inbound, Limits, Message, Origin, Place
from gateway.settings import AgentSettings, GatewaySettings
from gateway.store.store import SqlStore
from tests.fakes.adapter import EditingAdapter
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeProvider, says
from tests.messages import message

_STEP = 0.25
_ROUNDS = 4
"""Trips to the store that the longest chain of steps without a wait needs."""
OPEN = {"direct_messages": "open", "groups": "open", "owners": ["fake:owner"]}


class FakeAccount(EditingAdapter, FetchesFiles):
    """An account on which the test writes, and which keeps what it shows over restarts."""

    def __init__(self, clock: FakeClock, name: str) -> None:
        super().__init__(clock, Limits(text=1000), name)
        self.health: AccountHealth | None = None
        self.trouble: Exception | None = None
        """Befalls every call."""
        self.unwanted = ""
        """Messages with these words are refused."""
        self.opening: deque[Exception] = deque()
        self.closing: deque[Exception] = deque()
        self.fetching: deque[Exception] = deque()
        self.fetched: list[str] = []
        self.is_open = False
        self._coming: asyncio.Queue[tuple[Inbound, asyncio.Future[None]] | Exception | None]
        self._coming = asyncio.Queue()

    async def deliver(self, inbound: Inbound) -> None:
        """Have the gateway take it in; return once it has."""
        taken = asyncio.get_running_loop().create_future()
        self._coming.put_nowait((inbound, taken))
        await taken

    def break_off(self, error: Exception) -> None:
        """Let receiving end with an error."""
        self._coming.put_nowait(error)

    def end_input(self) -> None:
        self._coming.put_nowait(None)

    @override
    async def open(self) -> None:
        if self.opening:
            raise self.opening.popleft()
        self.is_open = True

    @override
    async def close(self) -> None:
        self.is_open = False
        if self.closing:
            raise self.closing.popleft()

    @override
    async def run(self, deliver: Deliver) -> None:
        while (item := await self._coming.get()) is not None:
            if isinstance(item, Exception):
                raise item
            inbound, taken = item
            await deliver(inbound)
            taken.set_result(None)

    @override
    async def call(self, kind: str, to: Address, apply: Callable[[], Any], text: str = "") -> Any:
        if self.trouble is not None:
            raise self.trouble
        if self.unwanted and self.unwanted in text:
            raise SendRefused("such words are not taken")
        return await super().call(kind, to, apply, text)

    @override
    async def fetch(self, attachment: Attachment, limit: int) -> bytes:
        self.fetched.append(attachment.reference)
        if self.fetching:
            raise self.fetching.popleft()
        return attachment.reference.encode()


Make = Callable[..., "FakeGateway"]


@asynccontextmanager
async def gateways(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    """Lend what makes gateways on one data directory, and leave none behind."""
    made: list[FakeGateway] = []

    def make(*accounts: str, **more: Any) -> FakeGateway:
        made.append(FakeGateway(folder, monkeypatch, *accounts, **more))
        return made[-1]

    try:
        yield make
    finally:
        for one in made:
            await one.end()


class FakeGateway:
    """Starts, stops and kills gateways on one data directory."""

    def __init__(
        self,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        *accounts: str,
        model: FakeProvider | None = None,
        access: dict[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        self.clock = FakeClock()
        self.model = model or FakeProvider(otherwise=lambda _: says("Well!"))
        self.accounts = {name: FakeAccount(self.clock, name) for name in accounts or ("bot",)}
        self.settings = GatewaySettings.model_validate({
            "data_dir": folder / "data",
            "agents": {"main": AgentSettings(provider="fake", model="big", models=("small",))},
            "adapters": {name: {"platform": "fake"} for name in self.accounts},
            "access": OPEN if access is None else access,
            "rate_limits": {"guest": None},
            **settings,
        })
        monkeypatch.setattr(app, "build_adapter", self._build_adapter)
        monkeypatch.setattr(parts, "make_provider", lambda *_: self.model)
        self.until_told = asyncio.Event()
        self.store: SqlStore
        self.serving: asyncio.Task[None] | None = None
        self._moving = asyncio.Lock()

    @property
    def bot(self) -> FakeAccount:
        return next(iter(self.accounts.values()))

    def _build_adapter(self, _: GatewaySettings, health: AccountHealth, *__: object) -> FakeAccount:
        account = self.accounts[health.account]
        account.health = health
        return account

    async def start(self) -> None:
        """Start it and return once it serves, or has failed."""
        parts.make_data_dir(self.settings)
        self.store = parts.open_store(self.settings, self.clock)
        await self.store.open()
        self.until_told, ready = asyncio.Event(), asyncio.Event()
        self.gateway = app.Gateway(self.settings, self.store, self.clock)
        self.serving = asyncio.create_task(self.gateway.serve(self.until_told, ready.set))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({waiting, self.serving}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()

    async def stop(self) -> None:
        """End it as SIGTERM would; raise what it ends with."""
        self.until_told.set()
        await self.ended()

    async def ended(self) -> None:
        """Return once it has ended by itself; raise what it ended with."""
        assert self.serving is not None
        try:
            await self.until(self.serving.done)
            self.serving.result()
        finally:
            await self.store.close()

    async def kill(self) -> None:
        """End it as the death of the process would: nothing more is written down."""
        await self.store.close()
        await self.end()

    async def end(self) -> None:
        """Leave nothing running, whatever has become of the test."""
        if self.serving is not None:
            self.serving.cancel()
            await asyncio.gather(self.serving, return_exceptions=True)
            await self.store.close()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        await self.start()
        yield
        if self.is_serving:
            await self.stop()

    @property
    def is_serving(self) -> bool:
        return self.serving is not None and not self.serving.done()

    async def until(
        self, holds: Callable[[], bool], *, step: float = _STEP, within: float = 600.0
    ) -> None:
        """Move time on until it is so; of those who wait side by side, one moves it at a time."""
        end = self.clock.monotonic() + within
        while not holds():
            async with self._moving:
                if holds():
                    return
                shown = [account.texts("ann") for account in self.accounts.values()]
                assert self.clock.monotonic() < end, f"not so within {within} s; shown: {shown}"
                await self.passes(step)

    async def passes(self, seconds: float) -> None:
        """Let time pass once everything that is under way has reached the store."""
        await self.clock.advance(seconds)
        if self.is_serving:
            for _ in range(_ROUNDS):
                # A write that changes nothing: it waits for those before it, not for the disk.
                await self.store.people.dismiss(PlatformName("none"), ExternalUser("none"))
                await self.store.inbox.waiting()
                await self.clock.settle()

    async def writes(self, text: str, user: str = "ann", **more: Any) -> Message:
        """Let somebody write, and return once it is kept."""
        account = more.pop("account", self.bot.name)
        place = more.pop("place", Place(user, is_direct=True))
        platform = PlatformName(more.pop("platform", "fake"))
        address = Address(platform, AccountName(account), ExternalUser(user), place)
        written = message(text, address, **more)
        taking = asyncio.create_task(self.accounts[account].deliver(written))
        await self.until(taking.done)
        await taking
        return written

    async def presses(self, label: str, user: str = "ann", **more: Any) -> None:
        """Press a button once it is shown to somebody, on the newest message that has it."""
        shown = self.accounts[more.get("account", self.bot.name)].messages

        def found() -> list[tuple[MessageId, str]]:
            return [
                (message_id, choice.value)
                for message_id, one in shown.items()
                for choice in one.choices
                if one.where[0] == user and choice.label == label
            ]

        await self.until(lambda: bool(found()))
        message_id, value = found()[-1]
        shown[message_id].choices = ()
        pressed = {"origin": Origin.PRESSED, "pressed_on": message_id}
        await self.writes(value, user, **{**pressed, **more})

    async def reads(self, words: str, user: str = "ann", **until: float) -> None:
        """Wait until somebody is shown these words."""
        await self.until(lambda: any(words in text for text in self.texts(user)), **until)

    async def asks(self, text: str, words: str = "Well!", user: str = "ann", **more: Any) -> None:
        """Write, and wait for an answer that was not there before."""
        before = len(self.texts(user))
        await self.writes(text, user, **more)
        await self.until(lambda: any(words in shown for shown in self.texts(user)[before:]))
        await self.idle()

    async def idle(self) -> None:
        """Wait until no turn is at work."""
        await self.until(lambda: not self.gateway._dispatcher._working)

    def texts(self, conversation: str = "ann") -> list[str]:
        return self.bot.texts(conversation)

    def turns(self) -> list[tuple[str, int]]:
        """Return states and attempts of all turns, which no contract shows."""
        return self.rows("select state, attempt from turns order by number")

    def rows(self, sql: str) -> list[Any]:
        connection = sqlite3.connect(self.settings.data_dir / "parley.db")
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()
