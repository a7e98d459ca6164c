"""The contract for approvals: what a person was asked to allow, and what came of it."""

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from gateway.ids import ApprovalId, PersonId, TurnId


@dataclass(frozen=True, slots=True)
class Approval:
    """One question: may this tool run once, with these arguments, for this person, here?"""

    id: ApprovalId
    turn: TurnId
    call_id: str
    tool: str
    fingerprint: str
    """Of the tool and its arguments, as `fingerprint` makes it."""
    person: PersonId | None
    session_key: str
    asked_at: float
    expires_at: float


class Decision(StrEnum):
    """What became of an answer to a question."""

    TAKEN = "taken"
    NOT_ASKED = "not_asked"
    """Somebody else was asked, or elsewhere."""
    TOO_LATE = "too_late"
    """It was answered before, has expired, or its turn is over."""


class Approvals(Protocol):
    """Questions that outlive the process."""

    async def ask(self, approval: Approval) -> None: ...

    async def decide(
        self,
        approval: ApprovalId,
        person: PersonId | None,
        session_key: str,
        *,
        is_allowed: bool,
    ) -> Decision:
        """Take the first answer of the person who was asked, in the place where they were."""
        ...

    async def drop(self, approval: ApprovalId) -> None:
        """Let no answer to a question count any more."""
        ...


def fingerprint(tool: str, arguments: dict[str, Any]) -> str:
    """Name a call by all that it would do."""
    written = json.dumps([tool, arguments], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(written.encode()).hexdigest()


class Grant:
    """Leave to run one call once; no other arguments fit it."""

    def __init__(self, tool: str, arguments: dict[str, Any]) -> None:
        self._fingerprint: str | None = fingerprint(tool, arguments)

    def spend(self, tool: str, arguments: dict[str, Any]) -> bool:
        """Use it up; say whether it was for this call."""
        granted, self._fingerprint = self._fingerprint, None
        return granted == fingerprint(tool, arguments)
