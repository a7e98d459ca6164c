"""The golden scenario: what people do, on all platforms at once, and how the model answers.

A script is a list of what one person does, each when what it waits for is to be seen. How far
each has come belongs to the world: people go on where they were, whatever became of the gateway.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway.messages import Place
from tests.proof.history import LINKED_OR_NOT
from tests.proof.world import Platform, Step, World

ANN = Place("ann", is_direct=True)
DAN = Place("dan", is_direct=True)
EVE = Place("eve", is_direct=True)
FAY = Place("fay", is_direct=True)
HALL = Place("hall", space="server")
DESK = Place("desk", thread="topic", space="office")
OWNERS = ("streamed:cleo", "keyless:dan")

ANSWERS: dict[str, tuple[Step, ...]] = {
    "q1": (Step(12),),
    "q2": (Step(10),),
    "q3": (Step(14),),
    "q4": (
        Step(8, tools=("look",)),
        Step(6, tools=("pay",)),
        Step(90, 0.2),
    ),
    "q5": (Step(5, tools=("send_file",)), Step(9)),
    "q6": (Step(60, 0.5),),
    "q7": (Step(6),),
    "q8": (Step(16, 0.6),),
    "q9": (Step(8),),
    "q10": (Step(8),),
}

Sees = Callable[[World], bool]
Act = Callable[[World], None]


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody does once they see what they wait for."""

    when: Sees
    act: Act


def begin() -> World:
    platforms = [Platform("keyless"), Platform("keyed", has_nonces=True), Platform("streamed")]
    return World({one.name: one for one in platforms}, answers=ANSWERS)


def _at(seconds: float) -> Sees:
    return lambda world: world.time >= seconds


def _reads(account: str, place: Place, pattern: str) -> Sees:
    def sees(world: World) -> bool:
        return any(re.search(pattern, text) for text in world.texts(account, place))

    return sees


def _can_press(account: str, place: Place, label: str) -> Sees:
    return lambda world: label in world.buttons(account, place)


def _writes(account: str, user: str, text: str, place: Place, **wrote: Any) -> Act:
    more = wrote if "expects" in wrote else {"marker": text, **wrote}
    return lambda world: world.write(account, user, text, place, **more)


def _presses(account: str, user: str, label: str, place: Place, expects: str) -> Act:
    return lambda world: world.press(account, user, label, place, expects=expects)


def _uses_code(world: World) -> None:
    text = next(one for one in world.texts("keyless", ANN) if "/link " in one)
    found = re.search(r"/link (\S+?)`", text)
    assert found is not None
    # A kill may come after a code was shown and before that was noted: another follows.
    expects = "about to link this account|That code is wrong"
    world.write("keyed", "ann", f"/link {found[1]}", ANN, expects=expects)


def _ends(marker: str, words: int, step: int = 1) -> str:
    return rf"{marker}s{step}g\d+w{words}of{words}"


_ANN = [
    Deed(_at(0.1), _writes("keyless", "ann", "q1", ANN)),
    Deed(_at(0.2), _writes("keyless", "ann", "/link", ANN, expects="link another account of")),
    Deed(_reads("keyless", ANN, r"`/link \S+`"), _uses_code),
    Deed(
        _can_press("keyed", ANN, "Yes, link"),
        # An answer may be looked for so long after a kill that the person has changed meanwhile.
        _presses("keyed", "ann", "Yes, link", ANN, "Now say yes on|I may no longer answer"),
    ),
    Deed(
        _can_press("keyless", ANN, "Yes, link"),
        _presses("keyless", "ann", "Yes, link", ANN, "Done: from your next message"),
    ),
    Deed(_reads("keyless", ANN, "Done: from"), _writes("keyed", "ann", "q2", ANN)),
    Deed(
        _reads("keyed", ANN, _ends("q2", 10)),
        _writes("keyless", "ann", "/unlink", ANN, expects=r"^Unlink "),
    ),
    Deed(
        _can_press("keyless", ANN, "Yes, unlink"),
        _presses("keyless", "ann", "Yes, unlink", ANN, "is unlinked"),
    ),
    Deed(_reads("keyless", ANN, "is unlinked"), _writes("keyless", "ann", "q10", ANN)),
]
_ANN_AGAIN = [Deed(_reads("keyed", ANN, "That code is wrong"), _uses_code)]
_BOB = [Deed(_at(0.3), _writes("keyed", "bob", "q3", HALL))]
_CLEO = [Deed(_at(0.4), _writes("streamed", "cleo", "q4", DESK, steps=3, again=True))]
_DAN = [
    Deed(
        _at(0.5),
        _writes("keyless", "dan", "q5", DAN, steps=2, attachment="notes on q5", file="q5.txt"),
    )
]
_EVE = [
    Deed(_at(0.6), _writes("streamed", "eve", "q6", EVE, may_stop=True)),
    Deed(
        _reads("streamed", EVE, "q6s1g"),
        _writes(
            "streamed",
            "eve",
            "/stop",
            EVE,
            expects=r"Stopped\.|Nothing is being written",
            answers=2,
        ),
    ),
    Deed(_reads("streamed", EVE, "Stopped|Nothing is"), _writes("streamed", "eve", "q7", EVE)),
]
_FAY = [
    Deed(_at(0.7), _writes("keyed", "fay", "q8", FAY)),
    Deed(_at(1.2), _writes("keyed", "fay", "q9", FAY)),
    Deed(_at(1.9), lambda world: world.edit("keyed", "q9", "e9")),
]
GOLDEN = {
    "ann": _ANN,
    "ann again": _ANN_AGAIN,
    "bob": _BOB,
    "cleo": _CLEO,
    "dan": _DAN,
    "eve": _EVE,
    "fay": _FAY,
}

_PLACES = (
    ("keyless", "ann", ANN), ("keyed", "ann", ANN), ("keyed", "bob", HALL),
    ("streamed", "cleo", DESK), ("keyless", "dan", DAN), ("streamed", "eve", EVE),
    ("keyed", "fay", FAY),
)  # fmt: skip


def _probes() -> list[Deed]:
    """Ask once more everywhere: each conversation must still be alive, and in order."""
    deeds = [
        Deed(_at(0.0), _writes(account, user, f"p{number}", place))
        for number, (account, user, place) in enumerate(_PLACES, 1)
    ]
    for account in ("keyless", "keyed"):
        linked = _writes(account, "ann", "/linked", ANN, expects=LINKED_OR_NOT)
        deeds.append(Deed(_at(0.0), linked))
    return deeds


SCRIPTS = {
    "golden": GOLDEN,
    "probes": {"all": _probes()},
    "long": {"cleo": _CLEO, "fay": _FAY[:1]},
}
"""`probes` is what people do who fell silent at a kill: they only look whether all is well."""


def act(world: World) -> None:
    """Let everybody do what they can do now."""
    for person, deeds in SCRIPTS[world.script].items():
        at = world.people.get(person, 0)
        if at < len(deeds) and deeds[at].when(world):
            world.people[person] = at + 1
            deeds[at].act(world)


def is_over(world: World) -> bool:
    return all(
        world.people.get(person, 0) == len(deeds)
        for person, deeds in SCRIPTS[world.script].items()
        if deeds is not _ANN_AGAIN
    )
