"""The gateway's side of the fake platforms: three accounts that differ in what is known of a send.

Each call takes time on the way there and on the way back, so that a kill can come before it
arrived, and after.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from itertools import takewhile
from typing import Any, ClassVar

from typing_extensions import override

from gateway.clock import Clock
from gateway.contracts.adapter import (
    Adapter,
    AdapterKit,
    AsksChoices,
    DeletesMessages,
    Deliver,
    EditsMessages,
    EndsTyping,
    FetchesFiles,
    FindsSent,
    RepeatsSafely,
    SendsFiles,
    ShowsDrafts,
    ShowsTyping,
    StreamsReplies,
)
from gateway.errors import GatewayError, RetryLater
from gateway.ids import AccountName, MessageId
from gateway.messages import (
    Address,
    Attachment,
    Burst,
    Inbound,
    Limits,
    Message,
    Origin,
    OutgoingFile,
    OutgoingMessage,
    Place,
)
from gateway.settings import AdapterSettings
from tests.proof.happened import Hasty
from tests.proof.steps import EPOCH
from tests.proof.world import Request, World, contents, place_of

_ROUNDING = 1e-3


class Outside:
    """The way to the world and back."""

    def __init__(self, world: World, clock: Clock) -> None:
        self.world = world
        self.clock = clock
        self.thinking: Counter[str] = Counter()
        """Markers of the questions that the model is at work on."""
        self._loosened = asyncio.Event()

    async def ask(self, request: Request, way: float) -> Any:
        """Have it done, unless whoever asks is cancelled before it has arrived."""
        world = self.world
        world.time = self.clock.now() - EPOCH
        where = _place_of(request)
        if world.time < world.penalties.get(where, 0.0) - _ROUNDING:
            world.log.append(Hasty(where, request.kind))
        if request.is_send:
            world.sends.append((where, world.time))
        world.under_way.append(request)
        world.requests += 1
        try:
            await self.clock.sleep(way)
        finally:
            world.under_way.remove(request)
            world.requests += 1
        world.time = self.clock.now() - EPOCH
        try:
            answer = world.meet(request)
        except GatewayError as error:
            await self.clock.sleep(way)
            if isinstance(error, RetryLater):
                world.penalties[where] = self.clock.now() - EPOCH + error.after
            raise
        await self.clock.sleep(way)
        return answer

    async def may_speak(self) -> None:
        """Return once the model may say its next piece."""
        world = self.world
        while world.words_left == 0:
            self._loosened.clear()
            await self._loosened.wait()
        if world.words_left is not None:
            world.words_left -= 1

    def loosen(self, words: int | None) -> None:
        """Let the model say so many pieces more, or all."""
        self.world.words_left = words
        self._loosened.set()


def _place_of(request: Request) -> str:
    to = request.values[0] if request.values else None
    return place_of(request.to, to.place) if isinstance(to, Address) else request.to


class Account(
    Adapter,
    EditsMessages,
    DeletesMessages,
    ShowsTyping,
    SendsFiles,
    FetchesFiles,
    AsksChoices,
):
    """What all three have in common."""

    platform: ClassVar[str] = "fake"
    settings_type: ClassVar[type[AdapterSettings]] = AdapterSettings
    typing_every: ClassVar[float] = 4.0
    choices_at_most: ClassVar[int] = 3
    way: ClassVar[float] = 0.08
    is_deaf = False
    """Whether it sends only, as another process receives."""

    def __init__(self, name: AccountName, outside: Outside, kit: AdapterKit) -> None:
        super().__init__(name, AdapterSettings(), kit)
        self.limits = Limits(text=400, edit_every=1.0, edit_every_in_groups=1.0)
        self._outside = outside
        self._kit = kit
        self._news = asyncio.Event()
        outside.world.news.append(self._news.set)

    @override
    async def run(self, deliver: Deliver) -> None:
        if self.is_deaf:
            await asyncio.Event().wait()
        at = await self._begin_at()
        events = self._outside.world.platforms[self.name].events
        self._kit.health.alive()
        while True:
            while at < len(events):
                await self._kit.clock.sleep(self.way)
                given = self._together([event.message for event in events[at:]])
                await deliver(given)
                at += len(given.messages) if isinstance(given, Burst) else 1
                await self._keep_place(at)
            self._news.clear()
            await self._news.wait()

    def _together(self, waiting: Sequence[Inbound]) -> Inbound:
        """Return what is delivered next of all that waits."""
        return waiting[0]

    async def _begin_at(self) -> int:
        return self._outside.world.platforms[self.name].accepted

    async def _keep_place(self, at: int) -> None:
        await self._ask("accept", at)

    async def _ask(self, kind: str, *values: Any) -> Any:
        return await self._outside.ask(Request(self.name, kind, values), self.way)

    @override
    async def send(self, to: Address, message: OutgoingMessage) -> MessageId:
        assert self.limits.measure(message.text) <= self.limits.text
        return MessageId(await self._ask("send", to, message))

    @override
    async def edit(self, to: Address, sent: MessageId, message: OutgoingMessage) -> None:
        assert self.limits.measure(message.text) <= self.limits.text
        await self._ask("edit", to, sent, message)

    @override
    async def delete(self, to: Address, sent: MessageId) -> None:
        await self._ask("delete", to, sent)

    @override
    async def show_typing(self, to: Address) -> None:
        await self._ask("sign", to)

    @override
    async def send_files(
        self, to: Address, files: Sequence[OutgoingFile], key: str
    ) -> Sequence[MessageId]:
        return [MessageId(await self._ask("files", to, contents(tuple(files)), key))]

    @override
    async def fetch(self, attachment: Attachment, limit: int) -> bytes:
        await self._kit.clock.sleep(self.way)
        return attachment.reference.encode()


def _is_typed(inbound: Inbound) -> bool:
    return isinstance(inbound, Message) and inbound.origin is Origin.TYPED


class Keyless(Account, ShowsDrafts):
    """Nobody can say here what became of a send; events are kept until they are confirmed.

    What waits of one conversation comes at once.
    """

    @override
    def _together(self, waiting: Sequence[Inbound]) -> Inbound:
        typed = [one for one in takewhile(_is_typed, waiting) if isinstance(one, Message)]
        place = typed[0].address.place if typed else None
        same = list(takewhile(lambda one: one.address.place == place, typed))
        return Burst(tuple(same)) if len(same) > 1 else waiting[0]

    @override
    async def show_draft(self, to: Address, draft: int, text: str) -> None:
        await self._ask("draft", to, text)


class _Searched(Account, FindsSent):
    @override
    async def find_sent(
        self, to: Address, sought: OutgoingMessage, since: float
    ) -> MessageId | None:
        found = await self._ask("find", to, sought.key, since)
        return None if found is None else MessageId(found)


class Keyed(_Searched, RepeatsSafely):
    """Knows a key for a while; nothing is confirmed, so what was missed is read from history."""

    repeat_window: ClassVar[float] = World.REPEAT_WINDOW
    way: ClassVar[float] = 0.11

    @override
    async def _begin_at(self) -> int:
        at = int(await self._kit.cursor.load() or 0)
        self._note_kept(at)
        return at

    @override
    async def _keep_place(self, at: int) -> None:
        await self._kit.cursor.save(str(at))
        self._note_kept(at)

    def _note_kept(self, at: int) -> None:
        self._outside.world.arrive(Request(self.name, "accept", (at,)))


class Streamed(_Searched, StreamsReplies, EndsTyping):
    """Streams answers in threads, and can be searched; each event is confirmed."""

    typing_every: ClassVar[float] = 60.0
    way: ClassVar[float] = 0.13

    @override
    def streams_in(self, place: Place) -> bool:
        return place.thread is not None

    @override
    async def end_typing(self, to: Address) -> None:
        await self._ask("sign", to)


KINDS: dict[str, type[Account]] = {"keyless": Keyless, "keyed": Keyed, "streamed": Streamed}
