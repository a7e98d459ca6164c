"""A fake chat as the gateway addresses it."""

from gateway.ids import AccountName, ExternalUser, PlatformName
from gateway.messages import Address, Place
from tests.fakes.telegram import Chat


def at(chat: Chat, thread: int | None = None) -> Address:
    """Address a chat on the account `helper`, or a topic of it."""
    place = Place(
        str(chat.id), None if thread is None else str(thread), is_direct=chat.kind == "private"
    )
    return Address(PlatformName("telegram"), AccountName("helper"), ExternalUser("42"), place)
