"""Where scenes are played: one platform with a gateway, and an eye that takes pictures."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from scripts.rendering.bubble import Bubble
from tests.journeys.platform import Person
from tests.journeys.world import World


class Eye(Protocol):
    """Sees what one person sees."""

    def count(self) -> int:
        """Return how many messages of the bot there are."""

    def look(self, after: int) -> list[Bubble]:
        """Draw those past so many, and whatever else shows that the bot is at work."""

    def question(self) -> str:
        """Draw what the person wrote last."""


@dataclass(slots=True)
class Shot:
    """What is seen at one moment."""

    bubbles: list[Bubble]
    when: str = ""
    question: str = ""


Shots = dict[tuple[str, str], list[Shot]]
"""By act and scene."""


@dataclass(slots=True)
class Stage:
    """A platform in a world, and what was seen in each scene on it."""

    world: World
    eye_of: Callable[[Person], Eye]
    act: str = ""
    shots: Shots = field(default_factory=dict)
    _person: Person | None = None
    _begun: int = 0

    def enter(self, person: Person) -> Person:
        """Begin a scene: what was seen before is no part of it."""
        self._person = person
        self._begun = self.eye_of(person).count()
        return person

    @property
    def begun(self) -> int:
        return self._begun

    def take(self, title: str, when: str = "") -> None:
        assert self._person is not None
        eye = self.eye_of(self._person)
        shot = Shot(eye.look(self._begun), when, eye.question())
        self.shots.setdefault((self.act, title), []).append(shot)
