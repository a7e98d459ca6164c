"""Messages for tests, with only what matters spelled out."""

import itertools
from typing import Any

from gateway.contracts.inbox import Arrival, Inbox, KeepOutcome
from gateway.ids import AccountName, EventKey, ExternalUser, MessageId, PlatformName
from gateway.messages import Address, Message, Place

_numbers = itertools.count(1)


def direct(user: str = "42", *, platform: str = "telegram", account: str = "bot") -> Address:
    place = Place(conversation=user, is_direct=True)
    return Address(PlatformName(platform), AccountName(account), ExternalUser(user), place)


def group(
    user: str = "42", conversation: str = "-100", *, platform: str = "telegram",
    thread: str | None = None, space: str | None = None,
) -> Address:  # fmt: skip
    place = Place(conversation=conversation, thread=thread, space=space)
    return Address(PlatformName(platform), AccountName("bot"), ExternalUser(user), place)


def message(text: str = "hello", address: Address | None = None, **more: Any) -> Message:
    number = next(_numbers)
    fields: dict[str, Any] = {
        "event_key": EventKey(f"event {number}"),
        "message_id": MessageId(f"message {number}"),
        "address": address or direct(),
        "sender_name": "Ann",
        "text": text,
        "sent_at": 1_800_000_000.0,
    }
    return Message(**(fields | more))


async def keep_one(inbox: Inbox, given: Message, **more: Any) -> KeepOutcome:
    (outcome,) = await inbox.keep([Arrival(given, **more)])
    return outcome
