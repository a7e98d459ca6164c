"""Names for the ids that travel through the gateway, and the one source of new ids."""

import secrets
import time
from typing import NewType, Protocol

AccountName = NewType("AccountName", str)
"""One configured bot account: the key of its entry under `adapters:`."""
PlatformName = NewType("PlatformName", str)
ExternalUser = NewType("ExternalUser", str)
"""A user as the platform names them for ever (never a display name)."""
MessageId = NewType("MessageId", str)
"""One message on one account, as the adapter encodes it; opaque to the core."""
EventKey = NewType("EventKey", str)
"""One delivered event on one account; equal keys are the same delivery."""
AgentId = NewType("AgentId", str)
PersonId = NewType("PersonId", str)
SessionId = NewType("SessionId", str)
TurnId = NewType("TurnId", str)
OutboxId = NewType("OutboxId", str)
ApprovalId = NewType("ApprovalId", str)
HoldId = NewType("HoldId", str)
"""An amount held for a model call under way."""
Lane = NewType("Lane", str)
"""A session's waiting line; controls wait in a lane of their own."""

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


class NewId(Protocol):
    """Makes ids; a test passes its own to have them repeat."""

    def __call__(self, prefix: str) -> str: ...


def new_id(prefix: str) -> str:
    """Return `prefix_` and 26 characters that sort by time of making."""
    number = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    digits = [_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5)]
    return f"{prefix}_{''.join(digits)}"
