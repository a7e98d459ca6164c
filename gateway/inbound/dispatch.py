"""The straight line: one message, from the inbox to the last word of its answer."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass

import structlog

from gateway.commands.registry import Answer, Call, Command, Commands
from gateway.contracts.inbox import Kept, Overheard
from gateway.contracts.people import NO_LONGER_WORDS
from gateway.contracts.stores import Turn, Turns, TurnState
from gateway.errors import (
    AccountRejected,
    Busy,
    ChatTimeout,
    LaneLost,
    NotAllowed,
    ProviderFailed,
    ProviderUnavailable,
    Refused,
    RetryLater,
    SendRefused,
    StoreFailed,
    TurnStopped,
)
from gateway.events import (
    ApprovalRequested,
    FileReady,
    NoticeAdded,
    ReplyEvent,
    TextDelta,
    TurnFailed,
)
from gateway.ids import new_id
from gateway.inbound.content import preceded
from gateway.inbound.postponed import Postponed
from gateway.inbound.stops import Stops
from gateway.inbound.turn_files import TurnFiles
from gateway.inbound.turn_options import options_for
from gateway.messages import Mark, Origin
from gateway.people.access import Access, Admission, Refusal
from gateway.pools.manager import PoolManager
from gateway.pools.pool import Pool
from gateway.replies.questions import question
from gateway.replies.replies import Replies
from gateway.replies.reply import Reply

log = structlog.get_logger()

_ATTEMPTS = 3
_LONGEST_OUTAGE = 86_400.0
_BESIDE_ANOTHER = 1.0
_REASON = 200
"""Characters of a refusal that are kept: enough for its cause, too few for a quotation."""

OUTAGE_WORDS = (
    "The model is not answering right now. Your message is kept, "
    "and I will answer it here as soon as the model is back."
)
STOPPED_WORDS = "Stopped."
TIMEOUT_WORDS = "I reached the time limit for one answer. Send a message to go on."
GIVEN_UP_WORDS = (
    "I was interrupted {times} times while answering this, so I gave up. /retry asks again."
)
DONE_WORDS = "Done."
NO_AGENT_WORDS = "The assistant that answered here is no longer set up."
UNSENT_WORDS = "/retry sends the whole answer again."
FAULT_WORDS = "Something went wrong on my side (reference {reference}). /retry asks again."

_MARKS = {
    TurnState.DONE: Mark.DONE,
    TurnState.STOPPED: Mark.DONE,
    TurnState.FAILED: Mark.FAILED,
    TurnState.TIMED_OUT: Mark.FAILED,
    TurnState.DEAD: Mark.FAILED,
}
"""A turn that is put off stays marked as seen."""


@dataclass(frozen=True, slots=True)
class _End:
    """How a turn ended, and why, where that is for who runs the gateway to know."""

    state: TurnState
    reason: str = ""


_DONE = _End(TurnState.DONE)
_POSTPONED = _End(TurnState.POSTPONED)
_STOPPED = _End(TurnState.STOPPED)


class Dispatch:
    """Takes turns. Every error of a turn becomes words for its user here, and only here."""

    def __init__(
        self,
        turns: Turns,
        overheard: Overheard,
        access: Access,
        commands: Commands,
        pools: PoolManager,
        files: TurnFiles,
        replies: Replies,
        postponed: Postponed,
        stops: Stops,
    ) -> None:
        self._turns = turns
        self._overheard = overheard
        self._access = access
        self._commands = commands
        self._pools = pools
        self._files = files
        self._replies = replies
        self._postponed = postponed
        self._stops = stops

    async def take_turn(self, kept: Kept) -> None:
        """Answer one kept message, and close it once every word has been delivered."""
        turn = await self._turns.begin(kept)
        with structlog.contextvars.bound_contextvars(
            session=kept.session_key, turn=turn.id, account=kept.message.address.account
        ):
            log.info("turn.started", attempt=turn.attempt)
            end = await self._reply_to(turn)
            await self._stops.see_over(kept)
            if end is not _POSTPONED:
                await self._turns.finish(turn, end.state, end.reason)
                await self._files.discard(turn)
            log.info("turn.finished", state=end.state.value)

    async def _reply_to(self, turn: Turn) -> _End:
        try:
            async with self._replies.open(turn) as reply:
                end = await self._bring_to_an_end(turn, reply)
                if (mark := _MARKS.get(end.state)) is not None:
                    await reply.mark(mark)
                return end
        # Interrupted by what is not its own doing, it costs no attempt.
        except asyncio.CancelledError:
            await self._turns.postpone(turn, until=0.0)
            raise
        except AccountRejected:
            await self._turns.put_aside(turn)
            raise
        except RetryLater as pause:
            log.warning("turn.postponed", reason=str(pause))
            self._postponed.expect(turn.kept)
            await self._turns.postpone(turn, self._postponed.after(pause.after))
            return _POSTPONED
        except SendRefused as refusal:
            return _unsent(refusal, TurnState.DEAD)

    async def _answer(self, turn: Turn, reply: Reply) -> _End:
        """The line itself: person, agent, session, then a command's words or the model's."""
        kept = turn.kept
        if turn.attempt > _ATTEMPTS:
            reply.show(TurnFailed(words=GIVEN_UP_WORDS.format(times=_ATTEMPTS)))
            await reply.finish()
            return _End(TurnState.DEAD, f"interrupted {_ATTEMPTS} times")
        admission = await self._access.authorise(kept.message)
        if isinstance(admission, Refusal):
            raise NotAllowed(NO_LONGER_WORDS)
        if kept.owner not in (None, admission.person.id):
            if not turn.is_resumed:
                # Linked or parted since the turn began: the store knows whose it is now.
                raise RetryLater("its writer is somebody else by now", _BESIDE_ANOTHER)
            # Let in anew: what it was to be answered from is no longer its writer's.
            raise NotAllowed(NO_LONGER_WORDS)
        pool = self._pools.get(kept.agent)
        if pool is None:
            raise Refused(NO_AGENT_WORDS)
        if (found := self._commands.find(kept.message)) is None:
            await self._answer_with_model(turn, admission, pool, reply)
            await reply.finish(advice=UNSENT_WORDS)
            if reply.refusal is not None:
                return _unsent(reply.refusal, TurnState.FAILED)
        else:
            command, argument = found
            session = await pool.active_session(kept.session_key)
            call = Call(argument, turn.id, kept, admission, pool, session)
            answer = await self._stops.stoppable(kept, _run(command, call))
            for file in answer.files:
                reply.show(FileReady(file=file))
            text = answer.text or _words_that_end(kept, reply)
            if text:
                reply.show(TextDelta(text=text))
                await reply.finish(choices=answer.choices)
        return _DONE

    async def _answer_with_model(
        self, turn: Turn, admission: Admission, pool: Pool, reply: Reply
    ) -> None:
        kept = turn.kept
        session = await pool.resolve_session(kept.session_key, kept.owner, turn=turn)
        self._stops.is_in(kept, session.id)
        content = None
        if not (turn.is_resumed and await pool.has_begun(session.id, turn.id)):
            content = await self._stops.stoppable(kept, self._files.receive(kept, reply))
            if most := admission.place.context:
                place = kept.message.address.channel_context
                content = preceded(content, await self._overheard.take(place, most))
        self._stops.heed(kept)
        options = options_for(turn, admission)
        async with aclosing(pool.chat(session.id, content, options=options)) as events:
            async for event in events:
                if isinstance(event, ApprovalRequested):
                    await self._ask(kept, event)
                reply.show(event)
        self._postponed.release_agent(kept.agent)

    async def _ask(self, kept: Kept, asked: ApprovalRequested) -> None:
        """Put a question to the turn's own person; whoever else presses is turned away."""
        words, choices = question(asked)
        message = kept.message
        await self._replies.notice(
            message.address, words, reply_to=message.message_id, choices=choices
        )

    async def _bring_to_an_end(self, turn: Turn, reply: Reply) -> _End:
        """Answer, or say why not: the one place where a turn's errors end."""
        last: ReplyEvent | None
        try:
            return await self._answer(turn, reply)
        except (AccountRejected, LaneLost, RetryLater, StoreFailed):
            raise
        except Busy as error:
            # A turn that began in the lane of a place that has moved is still at work.
            raise RetryLater(str(error), _BESIDE_ANOTHER) from error
        except ProviderUnavailable as error:
            end, last = await self._put_off(turn, reply, error)
            if last is None:
                return end
        except TurnStopped:
            end, last = _STOPPED, NoticeAdded(words=STOPPED_WORDS)
        except ChatTimeout:
            end, last = _End(TurnState.TIMED_OUT), NoticeAdded(words=TIMEOUT_WORDS)
        except (ProviderFailed, Refused) as error:
            reason = str(error)[:_REASON]
            log.warning("turn.refused", reason=reason)
            end, last = _End(TurnState.FAILED, reason), TurnFailed(words=str(error))
        except Exception:
            reference = new_id("fault")
            log.exception("turn.failed", reference=reference)
            words = FAULT_WORDS.format(reference=reference)
            end = _End(TurnState.FAILED, f"a fault, reference {reference}")
            last = TurnFailed(words=words)
        reply.show(last)
        await reply.finish()
        return end

    async def _put_off(
        self, turn: Turn, reply: Reply, error: ProviderUnavailable
    ) -> tuple[_End, ReplyEvent | None]:
        """Keep the message for later and tell its user, unless it has waited long enough."""
        until = self._postponed.next_try(turn.started_at, error.after)
        if until - turn.started_at > _LONGEST_OUTAGE:
            return _End(TurnState.FAILED, str(error)[:_REASON]), TurnFailed(words=str(error))
        log.warning("turn.postponed", reason=str(error))
        await reply.hold(OUTAGE_WORDS)
        if self._stops.is_asked(turn.kept):
            return _STOPPED, NoticeAdded(words=STOPPED_WORDS)
        self._postponed.expect(turn.kept)
        await self._turns.postpone(turn, until)
        return _POSTPONED, None


def _unsent(refusal: SendRefused, state: TurnState) -> _End:
    """Return the end of a turn whose answer is in the history, and nowhere else.

    Where nothing is taken any more there is nobody to wait for it, and nothing to mend; who
    comes back may still `/retry`, as after a stop.
    """
    log.warning("turn.unreachable", reason=str(refusal))
    reason = f"the answer could not be sent: {refusal}"[:_REASON]
    return _End(TurnState.STOPPED if refusal.is_gone else state, reason)


def _words_that_end(kept: Kept, reply: Reply) -> str:
    """Return what is said where there is nothing to say, but somebody waits for a word.

    That is a platform, or who sees the first words of what this command said before a kill.
    """
    is_awaited = kept.message.origin is Origin.INVOKED or reply.goes_on
    return DONE_WORDS if is_awaited else ""


async def _run(command: Command, call: Call) -> Answer:
    """Run a command; its refusal is an answer like any other, and nothing to try again."""
    is_direct = call.kept.message.address.place.is_direct
    if not command.allows(call.admission, is_direct=is_direct):
        return Answer(f"/{command.name} is not for you here.")
    try:
        if command.is_direct_only and not is_direct:
            return await command.refuse_in_group(call)
        return await command.run(call)
    except Refused as refusal:
        return Answer(str(refusal))
