"""What the owner may ask about messages that were given up."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gateway.contracts.dead_letters import DeadLetters, NoRevival
from gateway.control.server import Verb
from gateway.errors import Refused
from gateway.ids import Lane

_MOST = 200


@dataclass(frozen=True, slots=True)
class DeadLetterControl:
    """Answers the verbs `dead.*`."""

    letters: DeadLetters
    wake: Callable[[Lane], None]

    def verbs(self) -> dict[str, Verb]:
        return {"dead.list": self.list_letters, "dead.retry": self.retry, "dead.drop": self.drop}

    async def list_letters(self, _: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
        return [asdict(letter) for letter in await self.letters.newest(_MOST)]

    async def retry(self, args: Mapping[str, Any]) -> dict[str, Any]:
        number = _number(args)
        revived = await self.letters.revive(number)
        if isinstance(revived, NoRevival):
            raise Refused(f"Message {number} stays as it is: {revived.value}.")
        self.wake(revived)
        return {"number": number}

    async def drop(self, args: Mapping[str, Any]) -> dict[str, Any]:
        number = _number(args)
        if not await self.letters.drop(number):
            raise Refused(f"Message {number} stays as it is: {NoRevival.NOT_DEAD.value}.")
        return {"number": number}


def _number(args: Mapping[str, Any]) -> int:
    given = str(args["number"])
    if not given.isdecimal() or len(given) > 18:  # noqa: PLR2004 - what a row's number can be
        raise Refused(f"Write the number that `parley dead list` shows (got {given}).")
    return int(given)
