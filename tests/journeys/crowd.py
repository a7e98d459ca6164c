"""Many people, each with accounts on one to three platforms, and what each may come to know.

Whoever writes puts a marker of their own into every message. The model answers with all
markers that it was shown, so that whatever leaks is seen: on its way in, and on every screen.
What is expected is reckoned here, from what people did, and never asked of the gateway.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.fakes.model import Asked
from tests.journeys.on_discord import DiscordPerson
from tests.journeys.on_slack import SlackPerson
from tests.journeys.on_telegram import TelegramPerson
from tests.journeys.platform import Person, Platform, Shown

MARKER = re.compile(r"\bK(\d{4})([dst])(\d+)\b")
CODE = re.compile(r"/link ([2-9A-HJ-NP-Z]{8})")
_ANSWERED = re.compile(r"That answers (K\d{4}[dst]\d+)\.")
_PATIENCE = 300.0
_PLATFORMS_OF = (1, 1, 2, 2, 3, 1, 1, 2, 2, 3)
_ALONE = 7
"""Of ten people, this one has two accounts and never links them."""


@dataclass(eq=False)
class Circle:
    """Accounts that are one person to the gateway, and all that was said in it."""

    known: set[str] = field(default_factory=set)


class Account:
    """One account of somebody: what was asked on it, and what may be shown on it."""

    def __init__(self, person: Person, owner: int) -> None:
        self.person = person
        self.person.patience = _PATIENCE
        self.name = f"K{owner:04}{person.identity[0]}"
        self.asked: list[str] = []
        self.circle = Circle()
        self.learnt: set[str] = set()
        """What it knew of circles that it has left."""
        self.newest = -1
        """Of its questions, the last that the model has seen."""

    def writes(self) -> str:
        marker = f"{self.name}{len(self.asked)}"
        self.asked.append(marker)
        self.circle.known.add(marker)
        self.person.writes(f"My word is {marker}")
        return marker

    async def answered(self, marker: str) -> set[str]:
        """Wait for an answer; return the markers that it was made from."""
        return markers((await self.person.reads(f"That answers {marker}.")).text)

    async def asks(self) -> set[str]:
        return await self.answered(self.writes())

    async def is_told(self, command: str, words: str, *, button: str = "") -> Shown:
        seen = len(self.person.sees())
        self.person.writes(command)
        return await self.sees(words, after=seen, button=button)

    async def sees(self, words: str, *, after: int, button: str = "") -> Shown:
        """Wait for these words past so many messages, and for the button under them."""

        def found() -> list[Shown]:
            since = self.person.sees()[after:]
            wanted = (one for one in since if words in one.text)
            return [one for one in wanted if not button or button in one.buttons]

        await self.person.until(lambda: bool(found()))
        return found()[-1]

    def joins(self, other: "Account", everybody: list["Account"]) -> None:
        """Let two circles be one from now on: a yes that was given may be heeded at once."""
        joint = Circle(self.circle.known | other.circle.known)
        before = {self.circle, other.circle}
        for one in everybody:
            if one.circle in before:
                one.circle = joint

    def leaves(self) -> None:
        self.learnt |= self.circle.known
        self.circle = Circle()

    def answers(self) -> list[str]:
        return [found for text in self.person.texts() for found in _ANSWERED.findall(text)]


def markers(text: str) -> set[str]:
    return {found[0] for found in MARKER.finditer(text)}


class Soul:
    """Somebody with all of their accounts, and what they make of them."""

    def __init__(self, number: int, platforms: list[Platform]) -> None:
        of_ten, ten = number % 10, number // 10
        count = _PLATFORMS_OF[of_ten]
        chosen = [platforms[(number + ten + turn) % 3] for turn in range(count)]
        self.accounts = [Account(one.person(f"P{number:04}"), number) for one in chosen]
        self.links = count > 1 and of_ten != _ALONE
        self.talks = ten % 2 == 1
        """Whether they go on writing while they link."""
        self.prefers_new = ten % 5 == 0
        """Whether the conversation of the account that comes is the one to go on."""
        self.parts = self.links and ten % 3 == 0

    def talk(self) -> None:
        for account in self.accounts:
            account.writes()

    async def hears(self) -> None:
        """Wait until all that was asked is answered."""
        for account in self.accounts:
            for marker in account.asked:
                await account.answered(marker)


class Crowd:
    """All of them at once, and whatever was not as it has to be."""

    def __init__(self, people: int, platforms: list[Platform]) -> None:
        self.souls = [Soul(number, platforms) for number in range(people)]
        self.accounts = {one.name: one for soul in self.souls for one in soul.accounts}
        self.wrong: list[str] = []
        self.links = 0
        self.partings = 0
        self.prompts = 0
        self.screens = 0

    def think(self, asked: Asked) -> str:
        """Judge a prompt, and answer with all of the markers in it."""
        (question,) = MARKER.finditer(asked.user_text)
        account = self.accounts[question[0][: -len(question[3])]]
        shown = markers(asked.prompt)
        self.prompts += 1
        if foreign := shown - account.circle.known:
            self.wrong.append(f"{question[0]} was to be answered from {sorted(foreign)}")
        number = int(question[3])
        if number < account.newest:
            self.wrong.append(f"{question[0]} came after {account.newest}")
        account.newest = number
        return f"I know {', '.join(sorted(shown))}. That answers {question[0]}."

    async def lives(self, soul: Soul) -> None:
        """Take somebody from their first answers to where they end."""
        await soul.hears()
        if soul.links:
            for other in soul.accounts[1:]:
                await self._link(soul, soul.accounts[0], other)
        else:
            soul.talk()
        await soul.hears()
        if soul.parts:
            await self._part(soul, soul.accounts[0], soul.accounts[-1])
        await soul.hears()

    async def _link(self, soul: Soul, here: Account, there: Account) -> None:
        shown = await here.is_told("/link", "good for ten minutes")
        code = CODE.search(shown.text)
        assert code is not None
        await there.is_told(f"/link {code[1]}", "say no.", button="Yes, link")
        goes_on, follows = (there, here) if soul.prefers_new else (here, there)
        heard = set(goes_on.asked)
        if soul.talks:
            soul.talk()
        seen = len(here.person.sees())
        there.person.presses("Yes, link")
        platform = there.person.identity.partition(":")[0].capitalize()
        label = f"Yes, go on with {platform}" if soul.prefers_new else "Yes, link"
        await here.sees("wants to be linked with this account", after=seen, button=label)
        if soul.talks:
            soul.talk()
        here.joins(there, soul.accounts)
        here.person.presses(label)
        await here.sees("from your next message on", after=seen)
        self.links += 1
        if forgotten := heard - await follows.asks():
            self.wrong.append(f"{follows.name} does not know {sorted(forgotten)}")

    async def _part(self, soul: Soul, stays: Account, goes: Account) -> None:
        last = goes.writes()
        await goes.answered(last)
        await goes.is_told("/unlink", "It keeps nothing", button="Yes, unlink")
        if soul.talks:
            stays.writes()
        seen = len(goes.person.sees())
        goes.leaves()
        goes.person.presses("Yes, unlink")
        await goes.sees("I no longer know here", after=seen)
        self.partings += 1
        marker = goes.writes()
        if kept := await goes.answered(marker) - {marker}:
            self.wrong.append(f"{goes.name} has left and still knows {sorted(kept)}")
        if last not in await stays.asks():
            self.wrong.append(f"{stays.name} has forgotten {last}")

    def look(self) -> None:
        """Look at everything that was ever on a screen."""
        for account in self.accounts.values():
            if account.answers() != account.asked:
                self.wrong.append(f"{account.name} was asked {account.asked}: {account.answers()}")
            allowed = account.learnt | account.circle.known
            for text in glimpses(account.person):
                self.screens += 1
                if foreign := markers(text) - allowed:
                    self.wrong.append(f"{account.name} was shown {sorted(foreign)}")

    @property
    def figures(self) -> str:
        asked = sum(len(account.asked) for account in self.accounts.values())
        return (
            f"{len(self.souls)} people with {len(self.accounts)} accounts, {self.links} links, "
            f"{self.partings} partings, {asked} messages; checked {self.prompts} prompts and "
            f"{self.screens} texts"
        )


def glimpses(person: Person) -> Iterator[str]:
    """Return all that the bot ever showed somebody, what was changed later included."""
    match person:
        case TelegramPerson():
            chat = person.chat
            yield from (text for draft in chat.drafts for _, text in draft.texts)
            for said in chat.messages.values():
                yield from [said.text, *said.earlier] if said.is_from_bot else ()
        case DiscordPerson():
            for told in person.channel.messages.values():
                yield from [told.text, *told.earlier] if told.is_from_bot else ()
        case SlackPerson():
            for written in person.place.messages.values():
                yield from [written.shown, *written.earlier] if written.is_from_bot else ()
            yield from person.asides()
