"""`/pair`: the owner lets strangers in, by their code or by a button."""

from collections.abc import Callable

from typing_extensions import override

from gateway.commands.link_words import shown
from gateway.commands.registry import Answer, Call, Command
from gateway.contracts.people import PairingRequest
from gateway.ids import ExternalUser, PlatformName
from gateway.messages import Choice
from gateway.people.pairing import Pairing

_WRONG = "That code is wrong, used or expired."
_SETTLED = "That request is settled or too old. `parley pair list` shows who asks."
_USAGE = "Write `/pair CODE`, with the code that I gave to whoever wants to be let in."


def asking(platform: str, user: str, name: str) -> tuple[str, tuple[Choice, ...]]:
    """Ask an owner whether to let a stranger in."""
    identity = f"{platform}:{user}"
    choices = (
        Choice("Let in", f"/pair in {identity}"),
        Choice("Refuse", f"/pair out {identity}", is_danger=True),
    )
    return f"{shown(name, identity)} asks to be let in.", choices


class Pair(Command):
    """Takes codes with as few tries as anybody has."""

    name = "pair"
    summary = "Let somebody in"
    is_control = True
    is_direct_only = True

    def __init__(self, pairing: Pairing, welcome: Callable[[PairingRequest], None]) -> None:
        self._pairing = pairing
        self._welcome = welcome

    @override
    async def run(self, call: Call) -> Answer:
        by = call.kept.message.address.identity
        match call.argument.split():
            case ["in", identity]:
                return self._let_in(await self._pairing.let_in(*_parts(identity), by=by), _SETTLED)
            case ["out", identity]:
                request = await self._pairing.refuse(*_parts(identity), by=by)
                return Answer(_SETTLED if request is None else "Refused.")
            case [code]:
                account = call.kept.message.address.account
                request = await self._pairing.approve(code, by=by, account=account)
                return self._let_in(request, _WRONG)
            case _:
                return Answer(_USAGE)

    def _let_in(self, request: PairingRequest | None, otherwise: str) -> Answer:
        if request is None:
            return Answer(otherwise)
        self._welcome(request)
        account = shown(request.name, f"{request.platform}:{request.external_user}")
        return Answer(f"{account} may talk to me now.")


def _parts(identity: str) -> tuple[PlatformName, ExternalUser]:
    platform, _, user = identity.partition(":")
    return PlatformName(platform), ExternalUser(user)
