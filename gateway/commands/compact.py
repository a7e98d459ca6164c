"""`/compact`: fold the older part of the session into a summary."""

from typing_extensions import override

from gateway.commands.registry import Answer, Call, Command

NOTHING = "There is nothing to summarise yet."


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
            return Answer(NOTHING)
        return Answer(
            f"I folded {done.entries_folded} older entries into a summary: "
            f"about {done.tokens_before:,} tokens became {done.tokens_after:,}. "
            "The originals are kept."
        )
