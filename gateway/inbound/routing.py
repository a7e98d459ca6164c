"""Which agent answers, and in which session."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.ids import AccountName, AgentId, Lane
from gateway.messages import Message
from gateway.people.access import Admission
from gateway.session_key import (
    SessionKey,
    build_group_session_key,
    build_session_key,
    build_user_session_key,
)

_CONTROL = "!control"
"""Ends the lane of controls; "!" is quoted in every key, so that it is nobody's session."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where a message goes."""

    agent: AgentId
    key: SessionKey
    lane: Lane


class Routing:
    """Pure once made: the same message and admission give the same route."""

    def __init__(self, default: AgentId, of_account: Mapping[AccountName, AgentId]) -> None:
        self._default = default
        self._of_account = of_account

    def route(
        self, message: Message, admission: Admission, *, is_control: bool, urgent: str = ""
    ) -> Route:
        """Say where it goes; each `urgent` control has a lane of its own beside the others'."""
        agent = self._agent(message, admission)
        key = _session_key(agent, message, admission)
        written = key.encode()
        apart = f"!{urgent}" if urgent else ""
        return Route(agent, key, Lane(f"{written}{apart}{_CONTROL}" if is_control else written))

    def _agent(self, message: Message, admission: Admission) -> AgentId:
        if admission.place.agent is not None:
            return AgentId(admission.place.agent)
        return self._of_account.get(message.address.account, self._default)


def is_control(lane: Lane) -> bool:
    return lane.endswith(_CONTROL)


def _session_key(agent: AgentId, message: Message, admission: Admission) -> SessionKey:
    address = message.address
    if not address.place.is_direct:
        return build_group_session_key(agent, address.channel_context)
    if admission.person.is_linked:
        return build_user_session_key(agent, admission.person.id, address.channel_context)
    return build_session_key(
        agent, address.platform, address.external_user, address.channel_context
    )
