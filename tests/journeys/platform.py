"""A platform as the people on it meet it: all that a journey needs to know of one."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from gateway.clock import Clock
from tests.fakes.watch import Watch

PATIENCE = 30.0
"""Real seconds until a journey gives up waiting; only failures take them."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One message of the bot, as a person sees it now."""

    text: str
    buttons: tuple[str, ...] = ()
    file: bytes | None = None
    is_picture: bool = False
    tasks: tuple[str, ...] = ()
    """Tools shown apart from the text, each with its input and how it went."""


class Person(ABC):
    """Somebody in one place of a platform."""

    name: str
    identity: str
    """`platform:user_id`, as settings name people."""
    patience: float = PATIENCE
    """More where so many are at it that each has to wait."""

    @abstractmethod
    def writes(self, text: str) -> object:
        """Write to the bot; in a group, by its name."""

    @abstractmethod
    def sends(self, name: str, data: bytes, words: str = "") -> object:
        """Send a file, with words to it."""

    @abstractmethod
    def presses(self, label: str) -> None:
        """Press a button that is shown."""

    @abstractmethod
    def sees(self) -> list[Shown]:
        """Return the bot's messages, oldest first."""

    @abstractmethod
    def preview(self) -> str:
        """Return what is shown of an answer that is still being written, as far as it is."""

    @abstractmethod
    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until it holds, woken by each change of what is shown."""

    def asides(self) -> list[str]:
        """Return what the bot said for this person's eyes alone, where that can be seen."""
        return []

    def signs(self) -> list[str]:
        """Return the bot's signs on what this person last wrote."""
        raise NotImplementedError

    def edits(self, text: str) -> None:
        """Change what this person last wrote, where that is told to bots."""
        raise NotImplementedError

    def alone(self) -> "Person":
        """Return the same person in a conversation that nobody else reads."""
        raise NotImplementedError

    def takes_back(self) -> None:
        """Delete what this person last wrote, where that is told to bots."""
        raise NotImplementedError

    def texts(self) -> list[str]:
        return [message.text for message in self.sees() if message.text]

    async def reads(self, words: str, *, after: int = 0) -> Shown:
        """Wait for a message with these words, past so many; let them be an answer's last ones.

        Then they are in no preview, nor in the stub with which an answer may begin.
        """
        await self.until(lambda: self._find(words, after) is not None)
        found = self._find(words, after)
        assert found is not None
        return found

    def _find(self, words: str, after: int) -> Shown | None:
        told = [one for one in self.sees()[after:] if words in _plain(one.text)]
        return told[-1] if told else None

    async def asks(self, text: str, answer: str) -> Shown:
        """Write, and wait for a new message that answers with these words."""
        seen = len(self.sees())
        self.writes(text)
        return await self.reads(answer, after=seen)


def _plain(text: str) -> str:
    """Leave out the signs of code and emphasis, which not every platform turns into looks."""
    return text.replace("`", "").replace("**", "")


class Platform(ABC):
    """A platform with its server, for the length of an `async with`."""

    name: ClassVar[str]
    owner: ClassVar[str]
    """Ann's identity, known before she is met."""

    def __init__(self, clock: Clock, folder: Path) -> None:
        self.clock = clock
        self.folder = folder
        self.watch = Watch()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self._stack.aclose()

    @property
    def place_name(self) -> str:
        """Where all of them meet, as settings name it."""
        raise NotImplementedError

    @property
    @abstractmethod
    def entry(self) -> dict[str, Any]:
        """The account in the gateway's settings."""

    @property
    @abstractmethod
    def secrets(self) -> list[str]: ...

    @abstractmethod
    def person(self, name: str = "Ann") -> Person:
        """Meet somebody; Ann is the owner."""

    @abstractmethod
    def said(self) -> list[str]:
        """Return all that people have written: none of it may be in a log."""

    @abstractmethod
    def before_start(self) -> None:
        """Get ready for a gateway that is about to start in this process."""

    @abstractmethod
    async def connected(self) -> None:
        """Wait until the gateway receives."""

    def pings(self) -> list[str]:
        """Return whom the bot has called by what it said, where the platform knows that."""
        return []

    @abstractmethod
    def complaints(self) -> list[str]:
        """Return what the platform had to refuse, or saw done that is not done."""
