"""What happens outside of the gateway, as its platforms, its model and its bank log it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wrote:
    """Somebody wrote a message that is to be answered."""

    place: str
    message: str
    marker: str = ""
    """Of a question; a command has what it `expects` in its place, a pattern of its answer."""
    expects: str = ""
    answers: int = 1
    """How many a command may have at most, as one that is taken again finds things changed."""
    steps: int = 1
    file: str = ""
    """What comes back as a file."""
    may_stop: bool = False


@dataclass(frozen=True, slots=True)
class Edited:
    """Its writer changed a message; it is another question now."""

    place: str
    message: str
    marker: str
    event: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The platform was told that an event is kept."""

    event: str


@dataclass(frozen=True, slots=True)
class Shown:
    """People see this message say this, now."""

    place: str
    message: str
    text: str
    files: tuple[tuple[str, str], ...] = ()
    """Names and contents."""


@dataclass(frozen=True, slots=True)
class Removed:
    """People do not see this message any more."""

    place: str
    message: str


@dataclass(frozen=True, slots=True)
class Drafted:
    """People see a passing preview."""

    place: str
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """The model was asked for a step of an answer."""

    marker: str
    step: int


@dataclass(frozen=True, slots=True)
class Charged:
    """The bank took money for a question."""

    marker: str


@dataclass(frozen=True, slots=True)
class Died:
    """The gateway was killed, with a send to each of these places that may have been in doubt."""

    in_doubt: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Doubted:
    """The answer to a send was lost, whether or not it was applied."""

    place: str


@dataclass(frozen=True, slots=True)
class Hasty:
    """A call was made before the platform wanted one."""

    place: str
    kind: str


@dataclass(frozen=True, slots=True)
class Told:
    """The model was told of these questions, to answer one of them."""

    marker: str
    known: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Beside:
    """The model was asked while it was at work on another answer."""

    marker: str
    other: str


_Happened = Wrote | Edited | Accepted | Shown | Removed | Drafted | Asked | Charged | Died
Happened = _Happened | Doubted | Hasty | Told | Beside
