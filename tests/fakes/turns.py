"""Facts of a turn, for tests of parts that need one and no store."""

from pathlib import Path

from gateway.clock import Clock
from gateway.contracts.approvals import Grant
from gateway.contracts.hook import RunInfo
from gateway.contracts.inbox import Kept
from gateway.contracts.roles import Role
from gateway.contracts.stores import Turn
from gateway.contracts.tool import ToolContext
from gateway.ids import (
    AccountName,
    AgentId,
    EventKey,
    ExternalUser,
    Lane,
    MessageId,
    PersonId,
    PlatformName,
    SessionId,
    TurnId,
)
from gateway.messages import Address, Message, Place

AGENT = AgentId("main")
PERSON = PersonId("person_1")
SESSION = SessionId("session_1")
KEY = "main:user:person_1:dm"
RUN = RunInfo(AGENT, SESSION, TurnId("turn_1"), PERSON, "big")


def a_turn(name: str = "turn_1", *, attempt: int = 1) -> Turn:
    address = Address(
        PlatformName("local"), AccountName("local"), ExternalUser("u1"), Place("c", is_direct=True)
    )
    message = Message(EventKey("e1"), MessageId("m1"), address, "Ann", "hi", 0.0)
    kept = Kept(1, Lane(KEY), KEY, AGENT, PERSON, message, 0.0)
    return Turn(TurnId(name), kept, fence=attempt, attempt=attempt, started_at=0.0)


def a_context(
    workspace: Path,
    clock: Clock,
    *,
    call_id: str = "call_1",
    skills: Path | None = None,
    role: Role = Role.OWNER,
    grant: Grant | None = None,
) -> ToolContext:
    return ToolContext(
        agent=AGENT,
        session=SESSION,
        turn=RUN.turn,
        call_id=call_id,
        person=PERSON,
        workspace=workspace,
        role=role,
        grant=grant,
        outgoing=workspace.parent / "outgoing" / RUN.turn,
        clock=clock,
        skills=skills,
    )
