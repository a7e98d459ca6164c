"""`/compact`: fold the older part of the session into a summary."""

from typing_extensions import override

from gateway.commands.registry import Answer, Call, Command
from gateway.ids import SessionId
from gateway.transcript import SummaryEntry

NOTHING = "There is nothing to summarise yet."
DONE = "I folded the older part into a summary. The originals are kept."


class Compact(Command):
    """Makes room in the model's memory without losing the thread."""

    name = "compact"
    summary = "Summarise the older part of this conversation"

    @override
    async def run(self, call: Call) -> Answer:
        if call.session is None:
            return Answer(NOTHING)
        done = await call.pool.compact_session(call.session.id, call.kept.payer)
        if not done.entries_folded:
            return Answer(DONE if await _was_folded(call, call.session.id) else NOTHING)
        return Answer(
            f"I folded {done.entries_folded} older entries into a summary: "
            f"about {done.tokens_before:,} tokens became {done.tokens_after:,}. "
            "The originals are kept."
        )


async def _was_folded(call: Call, session: SessionId) -> bool:
    """Say whether it was done for this very message, before a crash."""
    history = await call.pool.history(session)
    summaries = [one for one in history[:1] if isinstance(one.entry, SummaryEntry)]
    return any(one.created_at >= call.kept.kept_at for one in summaries)
