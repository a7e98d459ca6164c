"""Where turns wait for a person's leave to run a tool, and answers find the turn that waits."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import structlog

from gateway.clock import Clock
from gateway.contracts.approvals import Approval, Approvals, Decision, Grant, fingerprint
from gateway.contracts.inbox import Kept
from gateway.contracts.stores import Turn
from gateway.errors import GatewayError
from gateway.events import ApprovalRequested
from gateway.ids import ApprovalId, NewId, TurnId
from gateway.transcript import ToolCall

log = structlog.get_logger()

_LASTS = 600.0


@dataclass(slots=True)
class _Waiting:
    """A question whose turn is at work in this process."""

    approval: Approval
    call: ToolCall
    answered: asyncio.Event
    is_allowed: bool = False


class ApprovalDesk:
    """A question lives as long as its turn waits; a turn that is gone on with asks anew."""

    def __init__(self, approvals: Approvals, clock: Clock, new_id: NewId) -> None:
        self._approvals = approvals
        self._clock = clock
        self._new_id = new_id
        self._waiting: dict[ApprovalId, _Waiting] = {}

    async def ask(self, turn: Turn, call: ToolCall) -> ApprovalRequested:
        """Write a question down; it is to be shown, then waited for."""
        now = self._clock.now()
        approval = Approval(
            id=ApprovalId(self._new_id("ask")),
            turn=turn.id,
            call_id=call.call_id,
            tool=call.tool,
            fingerprint=fingerprint(call.tool, call.arguments),
            person=turn.kept.person,
            session_key=turn.kept.session_key,
            asked_at=now,
            expires_at=now + _LASTS,
        )
        await self._approvals.ask(approval)
        self._waiting[approval.id] = _Waiting(approval, call, asyncio.Event())
        log.info("approval.asked", approval=approval.id, tool=call.tool)
        arguments = json.dumps(call.arguments, indent=2, ensure_ascii=False)
        return ApprovalRequested(
            approval=approval.id, call_id=call.call_id, tool=call.tool, arguments=arguments
        )

    async def wait(self, approval: ApprovalId) -> Grant | None:
        """Return leave for exactly the call that was asked about; None when there is none."""
        waiting = self._waiting[approval]
        try:
            async with self._clock.timeout(waiting.approval.expires_at - self._clock.now()):
                await waiting.answered.wait()
        except TimeoutError:
            log.info("approval.expired", approval=approval)
            await self._approvals.drop(approval)
        self._waiting.pop(approval, None)
        call = waiting.call
        return Grant(call.tool, call.arguments) if waiting.is_allowed else None

    async def decide(self, named: str, kept: Kept, *, is_allowed: bool) -> Decision:
        """Take a person's answer; without a name it is to the one question they were asked here."""
        approval = ApprovalId(named) if named else self._only_question(kept)
        waiting = None if approval is None else self._waiting.get(approval)
        if approval is None or waiting is None:
            return Decision.TOO_LATE
        decision = await self._approvals.decide(
            approval, kept.person, kept.session_key, is_allowed=is_allowed
        )
        log.info("approval.answered", approval=approval, outcome=decision.value)
        if decision is Decision.TAKEN:
            waiting.is_allowed = is_allowed
            waiting.answered.set()
        return decision

    async def leave(self, turn: TurnId) -> None:
        """Let go of what a turn has asked: it is over, or will ask anew."""
        asked = [name for name, one in self._waiting.items() if one.approval.turn == turn]
        for approval in asked:
            del self._waiting[approval]
            with suppress(GatewayError):
                # What the row says is only a record: an answer needs a turn that waits.
                await self._approvals.drop(approval)

    def _only_question(self, kept: Kept) -> ApprovalId | None:
        asked = list(self._asked_of(kept))
        return asked[0] if len(asked) == 1 else None

    def _asked_of(self, kept: Kept) -> Iterator[ApprovalId]:
        for name, waiting in self._waiting.items():
            asked = waiting.approval
            if (asked.person, asked.session_key) == (kept.person, kept.session_key):
                yield name
