"""`/pair`: the owner lets strangers in, by their code or by a button."""

from collections.abc import Sequence

from typing_extensions import override

from gateway.commands.link_words import shown
from gateway.commands.registry import Answer, Call, Command
from gateway.contracts.people import PairingRequest
from gateway.ids import ExternalUser, PlatformName
from gateway.messages import Choice
from gateway.people.pairing import Pairing
from gateway.replies.wording import as_code

WELCOME_WORDS = "You have been let in. Write to me whenever you like; /help shows what I can do."
PAIRING_WORDS = (
    "I only talk to people my owner has let in. Ask them to approve this code:\n\n"
    "`{code}`\n\nThey can run `parley pair approve {code}`; it is good for an hour."
)
_WRONG = "That code is wrong, used or expired."
_SETTLED = "That request is settled or too old. `parley pair list` shows who asks."
_LISTED = 5
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

    def __init__(self, pairing: Pairing) -> None:
        self._pairing = pairing

    @override
    async def run(self, call: Call) -> Answer:
        by = call.kept.message.address.identity
        match call.argument.split():
            case ["in", identity]:
                return await self._let_in(*_parts(identity), by)
            case ["out", identity]:
                is_refused = await self._pairing.refuse(*_parts(identity), by=by)
                return Answer("Refused." if is_refused else _SETTLED)
            case [code]:
                account = call.kept.message.address.account
                request = await self._pairing.approve(code, by=by, account=account)
                return Answer(_WRONG if request is None else _admitted(request))
            case _:
                return _asked(await self._pairing.requests())

    async def _let_in(self, platform: PlatformName, user: ExternalUser, by: str) -> Answer:
        request = await self._pairing.let_in(platform, user, by=by)
        if request is not None:
            return Answer(_admitted(request))
        # Let in already: by another owner, or by this press before a crash.
        is_in = await self._pairing.is_in(platform, user)
        return Answer(f"{as_code(f'{platform}:{user}')} may talk to me now." if is_in else _SETTLED)


def _asked(requests: Sequence[PairingRequest]) -> Answer:
    """List who asks: an owner who had not written before was told of none."""
    if not requests:
        return Answer(_USAGE)
    choices, lines = [], []
    for number, one in enumerate(requests[:_LISTED], start=1):
        identity = f"{one.platform}:{one.external_user}"
        lines.append(f"{number}. {shown(one.name, identity)}")
        choices.append(Choice(f"Let in {number}", f"/pair in {identity}"))
    more = len(requests) - _LISTED
    rest = [f"and {more} more: `parley pair list`"] if more > 0 else []
    told = "\n\n".join(["To be let in ask", "\n".join(lines), *rest, _USAGE])
    return Answer(told, tuple(choices))


def _admitted(request: PairingRequest) -> str:
    account = shown(request.name, f"{request.platform}:{request.external_user}")
    return f"{account} may talk to me now."


def _parts(identity: str) -> tuple[PlatformName, ExternalUser]:
    platform, _, user = identity.partition(":")
    return PlatformName(platform), ExternalUser(user)
