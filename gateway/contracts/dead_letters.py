"""The store contract for messages that were given up; on commits and times see `stores`."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from gateway.ids import AccountName, AgentId, Lane


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message without its answer. What it says is not told here."""

    number: int
    kept_at: float
    account: AccountName
    agent: AgentId
    sender: str
    """A person's id, or `platform:user_id` of somebody without one."""
    session_key: str
    state: str
    """`failed` or `dead`."""
    reason: str
    attempts: int
    ended_at: float | None


class NoRevival(Enum):
    """Why a message stays as it is."""

    NOT_DEAD = "no message that was given up has this number"
    OVERTAKEN = (
        "a later message of its session has been taken up, and the model was told of both; "
        "retry the later one if it failed"
    )


class DeadLetters(Protocol):
    """Messages whose turns are dead or failed, for who runs the gateway."""

    async def newest(self, most: int) -> Sequence[DeadLetter]:
        """Return the newest, in the order in which they came."""
        ...

    async def revive(self, number: int) -> Lane | NoRevival:
        """Let one wait again, ahead of what came later; return the lane to wake."""
        ...

    async def drop(self, number: int) -> bool:
        """Close one for good: no `/retry` finds it. False when it is none."""
        ...
