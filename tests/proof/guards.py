"""Switches off one guard of the gateway at a time: without it the proof must fail."""

import asyncio
import itertools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import bindparam, select, update

from gateway.ids import AgentId, ExternalUser, Lane, PlatformName
from gateway.inbound import routing
from gateway.inbound.dispatcher import Dispatcher
from gateway.inbound.gate import Gate
from gateway.messages import Inbound, Receipt
from gateway.replies.pace import Conversation
from gateway.runners.calls import CallRunner
from gateway.session_key import SessionKey, build_session_key
from gateway.store import inbox, keep, outbox, transcript, turns
from gateway.store.outbox import SqlOutbox
from gateway.store.schema import inbox as messages
from gateway.store.schema import turns as table

Guard = Callable[[pytest.MonkeyPatch], None]

_HASTE = 0.5
"""Seconds between an acknowledgement and the commit that should have come before it."""


def know_no_repeats(patch: pytest.MonkeyPatch) -> None:
    """Let each delivery be a message of its own."""
    numbers, delivery = itertools.count(), keep.delivery

    def forgetful(*given: Any, **more: Any) -> dict[str, Any]:
        row, number = delivery(*given, **more), next(numbers)
        new = {name: f"{row[name]} {number}" for name in ("event_key", "message_id")}
        return {**row, **new}

    for module in (inbox, keep):
        patch.setattr(module, "delivery", forgetful)


def acknowledge_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    accept, keeping = Gate.accept, set[asyncio.Task[Receipt]]()

    async def keep_later(gate: Gate, inbound: Inbound) -> Receipt:
        await asyncio.sleep(_HASTE)
        return await accept(gate, inbound)

    async def hasty(gate: Gate, inbound: Inbound) -> Receipt:
        keeping.add(asyncio.ensure_future(keep_later(gate, inbound)))
        return Receipt()

    patch.setattr(Gate, "accept", hasty)


def note_messages_after_they_were_sent(patch: pytest.MonkeyPatch) -> None:
    begin, sent = SqlOutbox.begin, SqlOutbox.sent
    put_off: dict[str, Any] = {}

    async def begin_later(self: SqlOutbox, *given: Any, **more: Any) -> Any:
        written: list[Any] = []

        async def write(operation: Any) -> None:
            written.append(operation)

        patient = SimpleNamespace(
            _database=SimpleNamespace(write=write), _clock=self._clock, _new_id=self._new_id
        )
        row = await begin(patient, *given, **more)  # type: ignore[arg-type]  # all that it needs
        (put_off[row.id],) = written
        return row

    async def sent_and_begun(self: SqlOutbox, row: Any, *given: Any) -> None:
        if (operation := put_off.pop(row, None)) is not None:
            await self._database.write(operation)
        await sent(self, row, *given)

    patch.setattr(SqlOutbox, "begin", begin_later)
    patch.setattr(SqlOutbox, "sent", sent_and_begun)


def count_no_attempts(patch: pytest.MonkeyPatch) -> None:
    again = (
        update(table)
        .where(table.c.number == bindparam("of_number"))
        .values(state="running")
        .returning(table.c.id, table.c.attempt, table.c.started_at)
    )
    patch.setattr(turns, "_AGAIN", again)


def note_no_tools(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(CallRunner, "_needs_noting", lambda *_: False)


def know_no_fence(patch: pytest.MonkeyPatch) -> None:
    for module in (outbox, transcript, turns):
        patch.setattr(module, "require", lambda *_: None)


def know_no_lane(patch: pytest.MonkeyPatch) -> None:
    """Drain a lane once more whenever it is woken, whoever works on it."""

    def wake(dispatcher: Dispatcher, lane: Lane) -> None:
        dispatcher._tasks.create_task(dispatcher._drain_once(lane))

    know_no_fence(patch)
    patch.setattr(Dispatcher, "wake", wake)


def take_the_newest_first(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(inbox, "_HEAD", inbox._HEAD.order_by(None).order_by(messages.c.number.desc()))
    patch.setattr(
        turns,
        "_FIRST_IN_LANE",
        select(messages.c.number).where(messages.c.number == bindparam("number")),
    )


def know_no_penalty(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Conversation, "_close_for", lambda *_: None)


def tell_nobody_apart(patch: pytest.MonkeyPatch) -> None:
    """Let all who write directly on a platform have one conversation."""

    def same(agent: AgentId, platform: PlatformName, _: ExternalUser, context: str) -> SessionKey:
        return build_session_key(agent, platform, ExternalUser("somebody"), context)

    patch.setattr(routing, "build_session_key", same)
