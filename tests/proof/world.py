"""All that a kill of the gateway leaves as it is: platforms, a model, a bank, and people.

Everything here is plain data, so that it can be copied together with the gateway's files and
given to the next process. Requests are data too: one that was under way at a kill arrives, or
does not, or arrives later.
"""

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from typing_extensions import override

from gateway.errors import RetryLater, SendRefused, SendUncertain
from gateway.ids import AccountName, EventKey, ExternalUser, MessageId, PlatformName
from gateway.messages import (
    Address,
    Attachment,
    AttachmentKind,
    Choice,
    Inbound,
    Message,
    Origin,
    OutgoingFile,
    OutgoingMessage,
    Place,
)
from tests.proof.happened import (
    Accepted,
    Asked,
    Charged,
    Died,
    Doubted,
    Drafted,
    Edited,
    Happened,
    Removed,
    Shown,
    Told,
    Wrote,
)
from tests.proof.steps import EPOCH

JUST_NOW = 0.3
"""Seconds after its departure within which a send may be one that nobody knows the end of."""

Files = tuple[tuple[str, str], ...]
"""Names and contents."""


@dataclass(frozen=True, slots=True)
class Request:
    """Something asked of the outside, by name and values."""

    to: str
    """An account, `model` or `bank`."""
    kind: str
    values: tuple[Any, ...]

    @property
    def is_send(self) -> bool:
        return self.kind in {"send", "files"}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an answer: so many words, so far apart, and the tools it asks for."""

    words: int
    pause: float = 0.1
    tools: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """What a platform does with a send or an edit in place of answering it."""

    after: float | None = None
    """The penalty, in seconds; None where the answer is lost."""
    is_applied: bool = False


@dataclass(slots=True)
class Post:
    """A bot's message on a platform."""

    place: str
    text: str
    choices: tuple[Choice, ...]
    key: str
    at: float
    files: Files = ()


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a platform delivers until it is told that it is kept."""

    key: str
    message: Inbound


@dataclass(slots=True)
class Platform:
    """One platform's side of an account."""

    name: str
    has_nonces: bool = False
    posts: dict[str, Post] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    accepted: int = 0
    """How many events it knows to be kept: what comes after is delivered again."""
    made: int = 0
    nonces: dict[str, str] = field(default_factory=dict)


def place_of(account: str, place: Place) -> str:
    return "/".join(filter(None, (account, place.conversation, place.thread)))


@dataclass
class World:
    """What is outside; `log` is what happened there, for the history checker."""

    platforms: dict[str, Platform]
    log: list[Happened] = field(default_factory=list)
    under_way: list[Request] = field(default_factory=list)
    sends: list[tuple[str, float]] = field(default_factory=list)
    """Places and times of all sends."""
    people: dict[str, int] = field(default_factory=dict)
    """How far each person's script has come."""
    requests: int = 0
    """How many have set out or ended: a cheap way to know that none has."""
    script: str = "golden"
    asked: dict[tuple[str, int], int] = field(default_factory=dict)
    time: float = 0.0
    answers: dict[str, tuple[Step, ...]] = field(default_factory=dict)
    """How the model answers questions, by their markers."""
    recalls: bool = False
    """Whether the model says what else it was told of."""
    faults: list[Fault] = field(default_factory=list)
    """What becomes of the next sends and edits."""
    penalties: dict[str, float] = field(default_factory=dict)
    """By place: until when the platform wants no call."""
    outages: int = 0
    """How often the model will not answer at all."""
    words_left: int | None = None
    """How many pieces the model may say before it falls silent; None for all."""
    REPEAT_WINDOW: ClassVar[float] = 120.0

    def __post_init__(self) -> None:
        self.news: list[Callable[[], None]] = []
        """Called when there is something to deliver; these belong to a process."""

    @override
    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "news": []}

    def copy(self) -> bytes:
        return pickle.dumps(self)

    @staticmethod
    def of_copy(copy: bytes) -> "World":
        world: World = pickle.loads(copy)
        return world

    # What people do.

    def post(self, event: Event) -> None:
        self.platforms[account_of(event.message)].events.append(event)
        for tell in self.news:
            tell()

    def write(self, *said: Any, again: bool = False, **wrote: Any) -> None:
        """Let somebody write; `again` has the platform tell of it in two events."""
        event = self.written(*said, **wrote)
        self.post(event)
        if again:
            self.post(twin(event))

    def written(
        self,
        account: str,
        user: str,
        text: str,
        place: Place,
        *,
        attachment: str = "",
        pressed_on: str | None = None,
        **wrote: Any,
    ) -> Event:
        """Let somebody write what the platform does not tell of yet."""
        platform = self.platforms[account]
        platform.made += 1
        name = f"{account} u{platform.made}"
        address = Address(PlatformName(account), AccountName(account), ExternalUser(user), place)
        files = (
            Attachment(
                AttachmentKind.FILE, attachment, f"{text}.txt", "text/plain", len(attachment)
            ),
        )
        message = Message(
            event_key=EventKey(f"event of {name}"),
            message_id=MessageId(name),
            address=address,
            sender_name=user.title(),
            text=text,
            sent_at=EPOCH + self.time,
            attachments=files if attachment else (),
            origin=Origin.TYPED if pressed_on is None else Origin.PRESSED,
            pressed_on=None if pressed_on is None else MessageId(pressed_on),
        )
        self.log.append(Wrote(place_of(account, place), name, **wrote))
        return Event(message.event_key, message)

    def press(self, account: str, user: str, label: str, place: Place, **wrote: Any) -> None:
        name, choice = self.buttons(account, place)[label]
        self.platforms[account].posts[name].choices = ()
        self.write(account, user, choice.value, place, pressed_on=name, **wrote)

    def edit(self, account: str, old: str, new: str) -> None:
        """Change a message that was written; the new text is its new marker."""
        events = self.platforms[account].events
        messages = [one.message for one in events if isinstance(one.message, Message)]
        self.post(self.edited(next(one for one in messages if one.text == old), new))

    def edited(self, before: Message, new: str) -> Event:
        key = EventKey(f"edit of {before.event_key}")
        at = EPOCH + self.time
        message = replace(before, event_key=key, text=new, edited_at=at)
        place = place_of(message.address.account, message.address.place)
        self.log.append(Edited(place, message.message_id, new, key))
        return Event(key, message)

    # What people see.

    def texts(self, account: str, place: Place) -> list[str]:
        where = place_of(account, place)
        return [one.text for one in self.platforms[account].posts.values() if one.place == where]

    def buttons(self, account: str, place: Place) -> dict[str, tuple[str, Choice]]:
        where = place_of(account, place)
        return {
            choice.label: (name, choice)
            for name, one in self.platforms[account].posts.items()
            if one.place == where
            for choice in one.choices
        }

    # What arrives.

    def meet(self, request: Request) -> Any:
        """Do what is asked, unless the platform is at fault; raises what it would answer."""
        if request.kind not in {"send", "edit"} or not self.faults:
            return self.arrive(request)
        fault = self.faults.pop(0)
        if fault.after is not None:
            raise RetryLater("too many calls", fault.after)
        if fault.is_applied:
            self.arrive(request)
        if request.is_send:
            self.log.append(Doubted(place_of(request.to, request.values[0].place)))
        raise SendUncertain("the connection broke")

    def arrive(self, request: Request) -> Any:
        """Do what is asked; raises what the platform would answer."""
        handle: Callable[..., Any] = getattr(self, f"_{request.kind}")
        return handle(*(() if request.to in {"model", "bank"} else (request.to,)), *request.values)

    def _send(self, account: str, to: Address, message: OutgoingMessage) -> str:
        if not (message.text.strip() or message.is_growing):
            raise SendRefused("an empty message")
        post = Post(
            place_of(account, to.place), message.text, message.choices, message.key, self.time
        )
        return self._put(account, post)

    def _put(self, account: str, post: Post) -> str:
        platform = self.platforms[account]
        known = platform.nonces.get(post.key, "") if platform.has_nonces else ""
        first = platform.posts.get(known)
        if first is not None and self.time - first.at < self.REPEAT_WINDOW:
            return known
        platform.made += 1
        name = f"{account} m{platform.made}"
        platform.posts[name] = post
        platform.nonces[post.key] = name
        self.log.append(Shown(post.place, name, post.text, post.files))
        return name

    def _files(
        self, account: str, to: Address, files: tuple[tuple[str, str], ...], key: str
    ) -> str:
        return self._put(account, Post(place_of(account, to.place), "", (), key, self.time, files))

    def _edit(self, account: str, to: Address, name: str, message: OutgoingMessage) -> None:
        post = self.platforms[account].posts.get(name)
        if post is None:
            raise SendRefused("there is no such message")
        assert post.place == place_of(account, to.place)
        post.choices = message.choices
        if post.text != message.text:
            post.text = message.text
            self.log.append(Shown(post.place, name, post.text, post.files))

    def _delete(self, account: str, to: Address, name: str) -> None:
        if self.platforms[account].posts.pop(name, None) is not None:
            self.log.append(Removed(place_of(account, to.place), name))

    def _draft(self, account: str, to: Address, text: str) -> None:
        if text:
            self.log.append(Drafted(place_of(account, to.place), text))

    def _sign(self, account: str, to: Address) -> None:
        """Show a sign that leaves no trace."""

    def _find(self, account: str, to: Address, key: str, since: float) -> str | None:
        where = place_of(account, to.place)
        for name, one in self.platforms[account].posts.items():
            if (one.place, one.key) == (where, key) and EPOCH + one.at >= since:
                return name
        return None

    def _accept(self, account: str, count: int) -> None:
        platform = self.platforms[account]
        for event in platform.events[platform.accepted : count]:
            self.log.append(Accepted(event.key))
        platform.accepted = max(platform.accepted, count)

    def _ask(self, marker: str, step: int, known: tuple[str, ...] = ()) -> int:
        """Begin a step of an answer; returns how often it was asked for by now."""
        self.log.append(Asked(marker, step))
        if known:
            self.log.append(Told(marker, known))
        self.asked[marker, step] = self.asked.get((marker, step), 0) + 1
        return self.asked[marker, step]

    def _charge(self, marker: str) -> None:
        self.log.append(Charged(marker))

    # The gateway's death.

    def die(self) -> None:
        """Note that the gateway is killed: of its newest sends it does not know the outcome."""
        self.be_taken_for_dead()
        self.under_way, self.sends, self.penalties = [], [], {}

    def be_taken_for_dead(self) -> None:
        recent = [place for place, at in self.sends if self.time - at <= JUST_NOW]
        self.log.append(Died(tuple(recent)))


def account_of(message: Inbound) -> AccountName:
    return message.address.account if isinstance(message, Message) else message.account


def twin(event: Event) -> Event:
    """Return the other event by which a platform tells of the same message."""
    message = event.message
    assert isinstance(message, Message)
    key = EventKey(f"twin of {message.message_id}")
    return Event(key, replace(message, event_key=key))


def contents(files: tuple[OutgoingFile, ...]) -> Files:
    return tuple((file.name, file.path.read_text()) for file in files)
