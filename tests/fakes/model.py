"""What the fake model servers share: how their answers are scripted and what they remember.

server.say("Hello ", "world")                     # two pieces of one answer
server.say("Let me look.", call("read_file", path="a.txt"))   # the next answer: a tool
server.say("slow", gate, " end", when="weather")  # held until gate.set(); only if asked so
server.brain = lambda asked: f"You said {asked.user_text}"     # when nothing is queued
"""

import asyncio
import itertools
import json
from abc import abstractmethod
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from typing_extensions import override

from gateway.clock import Clock
from tests.fakes.web import FakeServer

_CALLS_KEPT = 2_000


@dataclass(frozen=True, slots=True)
class Call:
    """The model calls a tool; `raw` replaces the JSON of the arguments, bad or not."""

    name: str
    arguments: dict[str, Any]
    call_id: str | None = None
    raw: str | None = None

    def json(self) -> str:
        return json.dumps(self.arguments) if self.raw is None else self.raw


@dataclass(frozen=True, slots=True)
class Thought:
    """The model thinks aloud."""

    text: str


@dataclass(frozen=True, slots=True)
class Pause:
    """The stream rests for so many seconds of the server's clock."""

    seconds: float


Piece = str | Call | Thought | Pause | asyncio.Event


def call(name: str, /, **arguments: Any) -> Call:
    """Make a tool call, as in `server.say(call("read_file", path="a.txt"))`."""
    return Call(name, arguments)


@dataclass(frozen=True, slots=True)
class Said:
    """One whole answer of the model."""

    pieces: tuple[Piece, ...]
    stop: str | None = None
    """The platform's own stop reason; by default what the pieces imply."""
    usage: tuple[int, int] | None = None
    """Input and output tokens; by default estimated from the texts."""

    @property
    def text(self) -> str:
        return "".join(piece for piece in self.pieces if isinstance(piece, str))

    @property
    def calls(self) -> list[Call]:
        return [piece for piece in self.pieces if isinstance(piece, Call)]

    @property
    def thoughts(self) -> str:
        return "".join(piece.text for piece in self.pieces if isinstance(piece, Thought))


def said(answer: "Said | str | Call | Iterable[Piece]") -> Said:
    """Take any of the forms in which an answer can be given."""
    if isinstance(answer, Said):
        return answer
    return Said((answer,) if isinstance(answer, str | Call) else tuple(answer))


def split(text: str, pieces: int) -> tuple[str, ...]:
    """Cut a text into about so many pieces, as a model streams it."""
    size = max(1, -(-len(text) // pieces))
    return tuple(text[start : start + size] for start in range(0, len(text), size))


@dataclass(slots=True)
class Asked:
    """One request to the model, kept for assertions on prompts."""

    body: dict[str, Any]
    headers: dict[str, str]
    at: float
    user_text: str
    """Text of the last user message that has some."""
    system: str
    outcome: str = "open"
    """`open`, then `answered`, or `abandoned` when the client left early."""

    @property
    def messages(self) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = self.body["messages"]
        return messages

    @property
    def prompt(self) -> str:
        """The whole request as text, to look for what must or must not be in it."""
        return json.dumps(self.body, ensure_ascii=False)


@dataclass(slots=True)
class _Queued:
    answer: Said
    when: Callable[[Asked], bool] | None


@dataclass(slots=True)
class Pace:
    """How fast the model is, in seconds of the server's clock."""

    first: float = 0.0
    """Before the first piece."""
    between: float = 0.0
    """Between pieces."""


class FakeModelServer(FakeServer):
    """Scripting and memory of a model server; the wire format is the subclass's."""

    def __init__(
        self,
        *,
        key: str,
        models: Iterable[str],
        port: int = 0,
        clock: Clock | None = None,
        pieces: int = 4,
    ) -> None:
        super().__init__(port=port, clock=clock)
        self.key = key
        self.models = list(models)
        self.pieces = pieces
        """Into how many pieces a text without its own is cut."""
        self.pace = Pace()
        self.brain: Callable[[Asked], Said | str | Call | Iterable[Piece]] = _echo
        self.asked: deque[Asked] = deque(maxlen=_CALLS_KEPT)
        """The newest requests that passed the checks, oldest first."""
        self.asked_count = 0
        self.refused: deque[str] = deque(maxlen=_CALLS_KEPT)
        """Why requests were refused, newest last."""
        self._queue: list[_Queued] = []
        self._ids = itertools.count(1)

    def say(
        self,
        *pieces: Piece,
        when: str | Callable[[Asked], bool] | None = None,
        stop: str | None = None,
        usage: tuple[int, int] | None = None,
    ) -> None:
        """Queue one answer; `when` keeps it for a request like that.

        A `when` of type `str` asks that the last user text contain it. A single text is
        cut into `server.pieces` pieces, several are sent as they are; an `asyncio.Event`
        holds the stream until it is set.
        """
        if isinstance(when, str):
            words = when
            self._queue.append(
                _Queued(Said(pieces, stop, usage), lambda asked: words in asked.user_text)
            )
        else:
            self._queue.append(_Queued(Said(pieces, stop, usage), when))

    @property
    def unsaid(self) -> int:
        """Count queued answers that nobody has asked for yet."""
        return len(self._queue)

    def next_id(self, prefix: str) -> str:
        return f"{prefix}{next(self._ids):024d}"

    def remember(self, asked: Asked) -> Said:
        """Keep the request and choose its answer."""
        self.asked.append(asked)
        self.asked_count += 1
        self.watch.changed()
        for queued in self._queue:
            if queued.when is None or queued.when(asked):
                self._queue.remove(queued)
                return self._cut(queued.answer)
        return self._cut(said(self.brain(asked)))

    def _cut(self, answer: Said) -> Said:
        texts = [piece for piece in answer.pieces if isinstance(piece, str)]
        if len(texts) != 1:
            return answer
        at = answer.pieces.index(texts[0])
        cut = split(texts[0], self.pieces)
        pieces = (*answer.pieces[:at], *cut, *answer.pieces[at + 1 :])
        return Said(pieces, answer.stop, answer.usage)

    async def paced(self, answer: Said) -> AsyncGenerator[str | Call | Thought | None, None]:
        """Give the pieces at the model's pace; `None` says that a wait follows."""
        if self.pace.first:
            yield None
            await self.clock.sleep(self.pace.first)
        for piece in answer.pieces:
            match piece:
                case asyncio.Event():
                    yield None
                    await piece.wait()
                case Pause(seconds):
                    yield None
                    await self.clock.sleep(seconds)
                case _:
                    yield piece
                    if self.pace.between:
                        yield None
                        await self.clock.sleep(self.pace.between)

    @override
    async def control(self, name: str, body: Any) -> Any:
        match name:
            case "say":
                for answer in body:
                    self._say_json(answer)
                return self.unsaid
            case "pace":
                self.pace = Pace(**body)
                return body
            case "state":
                return {"asked": self.asked_count, "unsaid": self.unsaid}
            case "asked":
                return [{"body": asked.body, "outcome": asked.outcome} for asked in self.asked]
        return await super().control(name, body)

    def _say_json(self, answer: Any) -> None:
        if isinstance(answer, str):
            self.say(answer)
            return
        calls = [call(one["name"], **one.get("arguments", {})) for one in answer.get("calls", [])]
        texts = answer.get("text", [])
        pieces = [texts] if isinstance(texts, str) else texts
        self.say(*pieces, *calls, when=answer.get("when"))

    @abstractmethod
    def is_known_key(self, headers: Any) -> bool:
        """Say whether the request carries the right key."""

    @override
    def summary(self) -> object:
        return [(asked.user_text, asked.outcome) for asked in self.asked]


@dataclass(slots=True)
class Rejected(Exception):
    """A request the real server would refuse."""

    message: str
    status: int = 400
    kind: str = "invalid_request_error"
    param: str | None = None
    code: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @override
    def __str__(self) -> str:
        return self.message


def tokens(text: str) -> int:
    """Estimate as many tokens as a model would count, roughly."""
    return max(1, len(text) // 4)


def _echo(asked: Asked) -> str:
    return asked.user_text or "(nothing was said)"
