"""Everything the fake knows: the workspace, people, conversations, files, what was called."""

import asyncio
import itertools
from collections import Counter, deque
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

from gateway.clock import Clock
from tests.fakes.slack.arguments import BOT_SCOPES, EVENTS
from tests.fakes.slack.blocks import Block, texts_of
from tests.fakes.slack.calls import Call, CallRecord
from tests.fakes.slack.conversation import Conversation, Message
from tests.fakes.slack.deliveries import Deliveries
from tests.fakes.slack.files import Files
from tests.fakes.slack.limits import Rates
from tests.fakes.slack.refusal import Refusal, invalid
from tests.fakes.slack.text import has_link, live_tokens
from tests.fakes.watch import Watch

_CALLS_KEPT = 100_000
_LETTERS = {"im": "D", "mpim": "G", "group": "G", "channel": "C"}


@dataclass(frozen=True, slots=True)
class Ping:
    """A text of the app that notifies or names somebody."""

    at: float
    method: str
    channel: str
    token: str
    text: str
    ts: str = ""
    """The streamed message that holds it."""


@dataclass(slots=True)
class Response:
    """A `response_url`: where it leads and how often it was used."""

    at: float
    user: str
    channel: str
    ts: str | None = None
    thread_ts: str | None = None
    uses: int = 0


class Errands:
    """Tasks that end with the server."""

    def __init__(self) -> None:
        self._group: asyncio.TaskGroup | None = None
        self._running: set[asyncio.Task[None]] = set()

    def begin(self, group: asyncio.TaskGroup) -> None:
        self._group = group

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        if self._group is None:
            work.close()
            raise AssertionError("the server does not run")
        task = self._group.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def end(self) -> None:
        for task in list(self._running):
            task.cancel()
        self._group = None


class World:
    """The state behind one installed app; no sockets here."""

    def __init__(self, clock: Clock, *, bot_token: str, app_token: str, signing: str) -> None:
        self.clock = clock
        self.bot_token, self.app_token, self.signing_secret = bot_token, app_token, signing
        self.team = {"id": "T0TEAM", "name": "Team", "domain": "team"}
        self.app_id, self.bot_id, self.bot_user, self.bot_name = "A0APP", "B0BOT", "U0BOT", "parley"
        self.is_agent = True
        """Whether the app has `agent_view`: its direct messages are threads, sessions work."""
        self.recipients_everywhere = False
        """Whether streams in direct messages must name their recipient too."""
        self.scopes = set(BOT_SCOPES)
        self.subscriptions = set(EVENTS)
        self.token_refusal = ""
        """Why tokens are no longer good: `token_revoked`, `account_inactive`, ..."""
        self.users: dict[str, dict[str, Any]] = {}
        self.conversations: dict[str, Conversation] = {}
        self.files = Files()
        self.answer_seconds = 3.0
        """How long a delivery waits to be acknowledged, and a trigger to be used."""
        self.file_seconds = 0.2
        """How long after its upload a file's message appears."""
        self.homes: dict[str, dict[str, Any]] = {}
        self.views: list[dict[str, Any]] = []
        self.triggers: dict[str, float] = {}
        self.responses: dict[str, Response] = {}
        self.watch = Watch()
        self.errands = Errands()
        self.rates = Rates()
        self.deliveries = Deliveries(clock, self.errands, self.watch)
        self.log: deque[CallRecord] = deque(maxlen=_CALLS_KEPT)
        self.unknown_arguments: Counter[tuple[str, str]] = Counter()
        self.pings: list[Ping] = []
        self.unfurls: list[CallRecord] = []
        """Calls whose links were left to unfold."""
        self.downloads: list[tuple[float, str]] = []
        self._last_ts = 0
        self._names = itertools.count(1)

    def now(self) -> float:
        return self.clock.now()

    def next_name(self, prefix: str) -> str:
        return f"{prefix}{next(self._names):08d}"

    def next_ts(self) -> str:
        """Name a moment as Slack names messages: no two are the same."""
        self._last_ts = max(int(self.now() * 1_000_000), self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def open(
        self, kind: str, members: Iterable[str], *, name: str = "", **more: Any
    ) -> Conversation:
        channel = more.get("channel") or self.next_name(_LETTERS[kind])
        place = Conversation(channel, kind, name=name, members=members, now=self.now)
        self.conversations[place.id] = place
        return place

    def dm(self, user: str) -> Conversation:
        """Return the direct messages of a user with the app; they begin when first used."""
        channel = f"D{user[1:]}"
        return self.conversations.get(channel) or self.open("im", [user], channel=channel)

    def place_of(self, call: Call) -> Conversation:
        """Find the conversation a call is meant for, if the app may act there."""
        channel = call.channel
        if not channel:
            raise invalid("missing required field: channel")
        if channel in self.users and channel != self.bot_user:
            place: Conversation | None = self.dm(channel)
        else:
            place = self.conversations.get(channel)
        if place is None or (not place.has_bot and place.kind != "channel"):
            raise Refusal("channel_not_found")
        if not place.has_bot:
            raise Refusal("not_in_channel")
        return place

    def writable(self, call: Call) -> Conversation:
        place = self.place_of(call)
        if place.is_archived:
            raise Refusal("is_archived")
        return place

    def root_of(self, place: Conversation, thread: str) -> str | None:
        """Check the root that a message shall answer."""
        if not thread:
            return None
        root = place.messages.get(thread)
        if root is None or root.thread_ts is not None:
            raise Refusal("thread_not_found")
        return thread

    def own(self, place: Conversation, ts: str, refusal: str) -> Message:
        """Find a message of the app by its `ts`."""
        message = place.messages.get(ts)
        if message is None or message.is_deleted:
            raise Refusal("message_not_found")
        if not message.is_from_bot:
            raise Refusal(refusal)
        return message

    def add(self, place: Conversation, message: Message) -> Message:
        place.messages[message.ts] = message
        self.changed(place)
        return message

    def post(self, place: Conversation, call: Call, **fields: Any) -> Message:
        """Add a message of the app; its events are the caller's to send."""
        ts = self.next_ts()
        message = Message(ts=ts, who="bot", user=self.bot_user, at=self.now(), **fields)
        call.record.ts, call.record.channel = ts, place.id
        return self.add(place, message)

    def changed(self, place: Conversation) -> None:
        place.watch.changed()
        self.watch.changed()

    def look_at(
        self, call: Call, blocks: Iterable[Block] = (), *, ts: str = "", **texts: str
    ) -> None:
        """Take note of what is live in texts that are about to be shown.

        With the `ts` of a message that grows, what was noted of it before is no news.
        """
        by_name = call.flag("link_names") or call.text("parse") == "full"
        known = Counter(ping.token for ping in self.pings if ts and ping.ts == ts)
        said = [(words, name == "markdown_text") for name, words in texts.items()]
        for words, is_markdown in [*said, *texts_of(blocks)]:
            for token in live_tokens(words, markdown=is_markdown, by_name=by_name):
                if known[token]:
                    known[token] -= 1
                else:
                    ping = Ping(self.now(), call.method, call.channel, token, words, ts)
                    self.pings.append(ping)
            if has_link(words) and _unfolds(call) and call.record not in self.unfurls[-1:]:
                self.unfurls.append(call.record)


def _unfolds(call: Call) -> bool:
    return call.flag("unfurl_links", default=True) or call.flag("unfurl_media", default=True)
