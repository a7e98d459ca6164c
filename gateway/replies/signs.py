"""Signs that pass and leave no message: typing, drafts, marks. Each in its conversation's bucket.

Their errors are the caller's to shrug off, and none is ever made twice.
"""

from gateway.contracts.adapter import EndsTyping, MarksMessages, ShowsDrafts, ShowsTyping
from gateway.errors import NotSupported
from gateway.ids import MessageId
from gateway.messages import Mark
from gateway.replies.route import Route


async def show_typing(route: Route) -> None:
    """Show that the bot is at work."""
    adapter = route.adapter
    if not isinstance(adapter, ShowsTyping):
        raise NotSupported("this platform shows no typing")
    async with route.conversation.slot():
        await adapter.show_typing(route.address)


async def end_typing(route: Route) -> None:
    """Take that sign away where it would stay."""
    adapter = route.adapter
    if isinstance(adapter, EndsTyping):
        async with route.conversation.slot(is_spaced=False):
            await adapter.end_typing(route.address)


async def show_draft(route: Route, number: int, text: str) -> None:
    """Show a passing preview."""
    adapter = route.adapter
    if not isinstance(adapter, ShowsDrafts):
        raise NotSupported("this platform shows no drafts")
    async with route.conversation.slot():
        await adapter.show_draft(route.address, number, text)


async def mark(route: Route, message: MessageId, sign: Mark) -> None:
    """Put a sign on a person's message, where the account is set to."""
    adapter = route.adapter
    if isinstance(adapter, MarksMessages) and adapter.marks:
        async with route.conversation.slot(is_spaced=False):
            await adapter.mark(route.address, message, sign)
