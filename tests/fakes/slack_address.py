"""A fake conversation as the gateway addresses it."""

from gateway.ids import AccountName, ExternalUser, PlatformName
from gateway.messages import Address, Place
from tests.fakes.slack import Conversation, FakeSlack


def at(place: Conversation, thread: str | None = None, user: str = "T0TEAM:U0ANN") -> Address:
    """Address a conversation on the account `helper`, or a thread of it."""
    if place.kind == "im":
        where = Place(place.id, is_direct=True, anchor=thread)
    else:
        where = Place(place.id, thread=thread, space="T0TEAM")
    return Address(PlatformName("slack"), AccountName("helper"), ExternalUser(user), where)


async def connected(server: FakeSlack) -> None:
    """Wait for an app that begins to receive by socket."""
    await server.until(lambda server: bool(server.sockets.connections))
