"""What the owner may ask of the running process."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.clock import Clock
from gateway.contracts.inbox import Inbox
from gateway.contracts.people import PairingRequest
from gateway.control.server import Verb
from gateway.errors import Refused
from gateway.ids import ExternalUser, PlatformName
from gateway.inbound.health import AccountHealth
from gateway.people.directory import Directory
from gateway.people.linking import Linking
from gateway.people.pairing import AT_THE_COMMAND_LINE, Pairing


@dataclass(frozen=True, slots=True)
class Control:
    """Answers the verbs `status` and `pair.*`."""

    pairing: Pairing
    linking: Linking
    stop_sender: Callable[[PlatformName, ExternalUser], Awaitable[None]]
    """Ends what is at work for somebody, in direct messages."""
    directory: Directory
    inbox: Inbox
    health: Sequence[AccountHealth]
    agents: Sequence[str]
    models: Callable[[], Sequence[Mapping[str, object]]]
    clock: Clock
    started_at: float

    def verbs(self) -> dict[str, Verb]:
        return {
            "status": self.status,
            "pair.list": self.list_requests,
            "pair.approve": self.approve,
            "pair.admit": self.admit,
            "pair.dismiss": self.dismiss,
        }

    async def status(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "uptime_seconds": round(self.clock.now() - self.started_at, 1),
            "agents": list(self.agents),
            "adapters": [health.describe() for health in self.health],
            "models": list(self.models()),
            "waiting": await self.inbox.waiting(),
        }

    async def list_requests(self, _: Mapping[str, Any]) -> dict[str, Any]:
        requests = await self.pairing.requests()
        return {
            "requests": [_described(request) for request in requests],
            "people": [
                {"identity": one.identity, "name": one.name, "role": one.role.name.lower()}
                for person in await self.directory.everybody()
                for one in person.accounts
            ],
        }

    async def approve(self, args: Mapping[str, Any]) -> dict[str, Any]:
        request = await self.pairing.approve(str(args["code"]))
        if request is None:
            raise Refused("That code is wrong, used or expired. `parley pair list` shows who asks.")
        return _described(request)

    async def admit(self, args: Mapping[str, Any]) -> dict[str, Any]:
        platform, user = identity_parts(str(args["identity"]))
        await self.pairing.admit(platform, user)
        return {"identity": f"{platform}:{user}"}

    async def dismiss(self, args: Mapping[str, Any]) -> dict[str, Any]:
        platform, user = identity_parts(str(args["identity"]))
        # Those who stay go on by themselves.
        await self.linking.unlink(platform, user, by=AT_THE_COMMAND_LINE)
        if not await self.pairing.dismiss(platform, user):
            raise Refused(f"{platform}:{user} is not known here.")
        await self.stop_sender(platform, user)
        return {"identity": f"{platform}:{user}"}


def identity_parts(identity: str) -> tuple[PlatformName, ExternalUser]:
    """Split `platform:user_id`; raise `Refused` when it is not one."""
    platform, separator, user = identity.partition(":")
    if not separator or not platform or not user or user.startswith("@"):
        raise Refused(f"Write platform:user_id, with the platform's own id (got {identity}).")
    return PlatformName(platform), ExternalUser(user)


def _described(request: PairingRequest) -> dict[str, Any]:
    return {
        "identity": f"{request.platform}:{request.external_user}",
        "name": request.name,
        "account": request.account,
        "requested_at": request.requested_at,
        "expires_at": request.expires_at,
    }
