"""The history checker: what people wrote and what they were shown, held against the promises.

It knows nothing of the gateway and imports nothing of it. A log is a list of what happened
outside: on the platforms, at the model, at the bank. Answers are made of words such as
`q4s2g1w03of40`: the third of forty words of the second step of the answer to `q4`, in the
words of the first time that the model was asked for it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from tests.proof.happened import (
    Accepted,
    Asked,
    Beside,
    Charged,
    Died,
    Doubted,
    Drafted,
    Edited,
    Happened,
    Hasty,
    Removed,
    Shown,
    Told,
    Wrote,
)

STUB_ENDS = "…"
STUB_AT_MOST = 81
STOPPED = "Stopped."
MISSING = "may be missing"
GIVEN_UP = "so I gave up"
DEATHS_TO_GIVE_UP = 3
UNSURE = "UNSURE"
PAID = "PAID"
_WORD = re.compile(r"\b([a-z]+\d+)s(\d+)g(\d+)w(\d+)of(\d+)\b")


@dataclass(frozen=True, slots=True)
class Breach:
    """A promise that was not held."""

    promise: str
    words: str
    silent: str = ""
    """The place where no word at all was said about a message."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word of an answer, where it stands."""

    marker: str
    step: int
    generation: int
    number: int
    of: int


@dataclass(slots=True)
class Story:
    """A log, sorted by what it is about."""

    wrote: list[Wrote] = field(default_factory=list)
    edits: dict[str, list[Edited]] = field(default_factory=dict)
    shown: dict[tuple[str, str], Shown] = field(default_factory=dict)
    """What is seen in the end, in the order of first sight."""
    asked: list[Asked] = field(default_factory=list)
    charged: Counter[str] = field(default_factory=Counter)
    deaths: int = 0
    in_doubt: Counter[str] = field(default_factory=Counter)
    seen: dict[str, set[str]] = field(default_factory=dict)
    """By marker: the places that ever showed a word of it."""

    def visible(self, place: str) -> list[Shown]:
        return [one for one in self.shown.values() if one.place == place]


def read(log: Iterable[Happened]) -> Story:
    story = Story()
    for one in log:
        match one:
            case Wrote():
                story.wrote.append(one)
            case Edited():
                story.edits.setdefault(one.message, []).append(one)
            case Shown() | Drafted() | Removed():
                _show(story, one)
            case Asked():
                story.asked.append(one)
            case Charged():
                story.charged[one.marker] += 1
            case Died():
                story.deaths += 1
                story.in_doubt.update(one.in_doubt)
            case Doubted():
                story.in_doubt[one.place] += 1
            case Accepted() | Hasty() | Told() | Beside():
                pass
    return story


def _show(story: Story, one: Shown | Drafted | Removed) -> None:
    if isinstance(one, Removed):
        story.shown.pop((one.place, one.message), None)
        return
    if isinstance(one, Shown):
        story.shown[one.place, one.message] = one
    for found in _WORD.finditer(one.text):
        story.seen.setdefault(found[1], set()).add(one.place)


def is_stub(text: str) -> bool:
    return text.endswith(STUB_ENDS) and len(text) <= STUB_AT_MOST


def words(texts: Iterable[str]) -> list[Word]:
    return [
        Word(found[1], *(int(part) for part in found.groups()[1:]))
        for text in texts
        for found in _WORD.finditer(text)
    ]


def breaches(log: Sequence[Happened], keyless: Iterable[str]) -> list[Breach]:
    """Return what a log breaks; `keyless` are the accounts whose sends may leave a stub."""
    story = read(log)
    found = [*stubs(story, frozenset(keyless)), *_places(story), *_order(story)]
    found += [*_commands(story), *model(story), *money(story), *_links(story)]
    for wrote in story.wrote:
        if wrote.marker:
            found += _answer(story, wrote, log)
    return list(_not_given_up(story, found))


def _not_given_up(story: Story, found: Sequence[Breach]) -> Iterator[Breach]:
    """Leave out messages that were given up with a word: one for each, after three deaths."""
    words = Counter(one.place for one in story.shown.values() if GIVEN_UP in one.text)
    for breach in found:
        if breach.silent and words[breach.silent] and story.deaths >= DEATHS_TO_GIVE_UP:
            words[breach.silent] -= 1
        else:
            yield breach


def stubs(story: Story, keyless: frozenset[str]) -> Iterator[Breach]:
    """One stub at most for each send in doubt, and none where a send can be known again."""
    counts = Counter(one.place for one in story.shown.values() if is_stub(one.text))
    for place, count in counts.items():
        bound = story.in_doubt[place] if place.partition("/")[0] in keyless else 0
        if count > bound:
            yield Breach("R6", f"{count} stubs in {place}, where {bound} may be")


def _places(story: Story) -> Iterator[Breach]:
    """No word of an answer was ever shown where nobody asked for it."""
    at = {wrote.marker: wrote.place for wrote in story.wrote}
    for edits in story.edits.values():
        at.update({edit.marker: edit.place for edit in edits})
    for marker, places in story.seen.items():
        for place in places - {at.get(marker, "")}:
            yield Breach("place", f"{marker} of {at.get(marker)} was shown in {place}")


def _order(story: Story) -> Iterator[Breach]:
    """In each place answers stand in the order of their questions, and are made in it."""
    for place in {wrote.place for wrote in story.wrote}:
        asked = [list(_versions(story, one)) for one in story.wrote if one.place == place]
        rank = {marker: at for at, markers in enumerate(asked) for marker in markers if marker}
        full = [one.text for one in story.visible(place) if not is_stub(one.text)]
        for what, markers in (
            ("shown", [word.marker for word in words(full)]),
            ("begun", [one.marker for one in story.asked]),
        ):
            ranks = [rank[marker] for marker in markers if marker in rank]
            if ranks != sorted(ranks):
                yield Breach("R3", f"answers in {place} were {what} out of order: {ranks}")


def _commands(story: Story) -> Iterator[Breach]:
    """Each command has one answer, and no word of the gateway's own is said twice."""
    least, most = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for one in story.wrote:
        if one.expects:
            least[one.place, one.expects] += 1
            most[one.place, one.expects] += one.answers
    for (place, pattern), count in least.items():
        texts = [one.text for one in story.visible(place) if not is_stub(one.text)]
        found = sum(bool(re.search(pattern, text)) for text in texts)
        if not count <= found <= most[place, pattern]:
            words = f"{found} answers like {pattern!r} in {place}, not {count}"
            yield Breach("R1", words, place) if found < count else Breach("R6", words)
    said = Counter((one.place, one.text) for one in story.shown.values() if one.text)
    for (place, text), count in said.items():
        if count > 1 and not is_stub(text) and GIVEN_UP not in text:
            yield Breach("R6", f"{text[:40]!r} stands {count} times in {place}")


def model(story: Story) -> Iterator[Breach]:
    """A step is asked for once more for each death at most, and never once it is behind."""
    for asked, count in Counter(story.asked).items():
        if count > 1 + story.deaths:
            yield Breach("R4", f"step {asked.step} of {asked.marker} was asked {count} times")
    newest: dict[str, int] = {}
    for one in story.asked:
        if one.step < newest.get(one.marker, 0):
            yield Breach("R4", f"step {one.step} of {one.marker} was asked again after a later one")
        newest[one.marker] = max(one.step, newest.get(one.marker, 0))


def money(story: Story) -> Iterator[Breach]:
    """What cannot be repeated was done once, and nobody was told that it was when it was not."""
    for marker, count in story.charged.items():
        if count > 1:
            yield Breach("R5", f"{marker} was charged {count} times")
    for one in story.shown.values():
        for found in re.finditer(rf"\b{PAID} (\w+)", one.text):
            if not story.charged[found[1]]:
                yield Breach("R5", f"{found[1]} is said to be paid, and is not")


_LINKED = r"2\. \w+: .*since"
_ALONE = r"no other account"


def _links(story: Story) -> Iterator[Breach]:
    """Two accounts that were asked the same say the same of their being linked."""
    says: dict[bool, str] = {}
    for wrote in story.wrote:
        if wrote.expects == f"{_LINKED}|{_ALONE}":
            texts = [one.text for one in story.visible(wrote.place)]
            last = next((text for text in reversed(texts) if re.search(wrote.expects, text)), "")
            if last:
                says[bool(re.search(_LINKED, last))] = wrote.place
    if len(says) > 1:
        yield Breach("links", f"{says[True]} is linked, {says[False]} is not")


LINKED_OR_NOT = f"{_LINKED}|{_ALONE}"


def _versions(story: Story, wrote: Wrote) -> Iterator[str]:
    yield wrote.marker
    yield from (edit.marker for edit in story.edits.get(wrote.message, ()))


def _answer(story: Story, wrote: Wrote, log: Sequence[Happened]) -> Iterator[Breach]:
    """A question has one whole answer, or word that there will be none."""
    seen = [one for one in story.visible(wrote.place) if not is_stub(one.text)]
    texts = [one.text for one in seen]
    markers = list(_versions(story, wrote))
    stand = [word for word in words(texts) if word.marker in markers]
    if not stand:
        yield from _no_answer(wrote, texts)
        return
    if len({word.marker for word in stand}) > 1:
        yield Breach("R2", f"{markers} were both answered")
    elif len(markers) > 1 and stand[0].marker != markers[-1] and _was_in_time(story, wrote, log):
        yield Breach("R2", f"{markers[-1]} came in time, and {stand[0].marker} was answered")
    yield from _whole(wrote, stand, is_stopped=any(STOPPED in text for text in texts))
    if wrote.file:
        yield from _file(wrote, seen)


def _no_answer(wrote: Wrote, texts: Sequence[str]) -> Iterator[Breach]:
    if not (wrote.may_stop and any(STOPPED in text for text in texts)):
        yield Breach("R1", f"{wrote.marker} in {wrote.place} was never answered", wrote.place)


def _was_in_time(story: Story, wrote: Wrote, log: Sequence[Happened]) -> bool:
    """Say whether the last edit was kept before the model first heard of the message."""
    edit = story.edits[wrote.message][-1]
    for one in log:
        if isinstance(one, Asked) and one.marker in set(_versions(story, wrote)):
            return False
        if one == Accepted(edit.event):
            return True
    return False


def _whole(wrote: Wrote, stand: Sequence[Word], *, is_stopped: bool) -> Iterator[Breach]:
    by_step: dict[int, list[Word]] = {}
    for word in stand:
        by_step.setdefault(word.step, []).append(word)
    if list(by_step) != sorted(by_step):
        yield Breach("R7", f"the steps of {wrote.marker} stand in the order {list(by_step)}")
    may_be_cut = wrote.may_stop and is_stopped
    for step in range(1, wrote.steps + 1):
        of_step = by_step.get(step, [])
        if may_be_cut and not of_step:
            continue
        if (fault := torn(of_step, may_be_cut=may_be_cut)) is not None:
            promise, words = fault
            yield Breach(promise, f"{wrote.marker}, step {step}: {words}")


def torn(of_step: Sequence[Word], *, may_be_cut: bool) -> tuple[str, str] | None:
    if not of_step:
        return "R1", "nothing of it is there"
    numbers = [word.number for word in of_step]
    if max(Counter(numbers).values()) > 1:
        return "R6", f"it stands there twice: {numbers}"
    if len({word.generation for word in of_step}) > 1:
        return "R7", f"it is mixed from two tries: {sorted({w.generation for w in of_step})}"
    whole = list(range(1, of_step[0].of + 1))
    if numbers != (whole[: len(numbers)] if may_be_cut else whole):
        promise = "R1" if set(whole) - set(numbers) else "R7"
        return promise, f"it is not whole: {numbers} of {whole[-1]}"
    return None


def _file(wrote: Wrote, seen: Sequence[Shown]) -> Iterator[Breach]:
    contents = [content for one in seen for name, content in one.files if name.endswith(wrote.file)]
    is_told = any(MISSING in one.text and wrote.file in one.text for one in seen)
    if len(contents) > 1:
        yield Breach("R6", f"{wrote.file} was sent {len(contents)} times")
    elif not contents and not is_told:
        yield Breach("R1", f"{wrote.file} was never sent")
    if any(wrote.marker not in content for content in contents):
        yield Breach("R1", f"{wrote.file} holds something else: {contents}")
