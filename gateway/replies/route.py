"""Where a reply goes, what its platform can do, and the bucket all its calls pass."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.contracts.adapter import (
    Adapter,
    AsksChoices,
    EditsMessages,
    FindsSent,
    RepeatsSafely,
    ShowsDrafts,
    StreamsReplies,
)
from gateway.contracts.stores import Turn
from gateway.ids import MessageId
from gateway.messages import Address, Choice, Limits
from gateway.replies.pace import AccountPace, Conversation


class Account:
    """One adapter with its pace, and what its server turned out not to have."""

    def __init__(self, adapter: Adapter, pace: AccountPace) -> None:
        self.adapter = adapter
        self.pace = pace
        self.has_drafts = isinstance(adapter, ShowsDrafts)
        self.can_look = isinstance(adapter, FindsSent)
        """Whether what was sent can be read back."""


@dataclass(frozen=True, slots=True)
class Route:
    """One address on one account, for one turn or for a notice outside any."""

    account: Account
    address: Address
    conversation: Conversation
    turn: Turn | None
    reply_to: MessageId | None = None
    """What the first message answers, where that is shown."""
    announcement: int | None = None
    """What a notice announces, if it does: it is known by this after a crash."""

    @property
    def adapter(self) -> Adapter:
        return self.account.adapter

    @property
    def limits(self) -> Limits:
        return self.account.adapter.limits

    @property
    def edits(self) -> bool:
        return isinstance(self.account.adapter, EditsMessages)

    @property
    def needs_stub(self) -> bool:
        """A first send may end up twice here, so it must not be the whole answer."""
        is_safe = self.account.can_look or isinstance(self.account.adapter, RepeatsSafely)
        return self.edits and not is_safe

    @property
    def streams(self) -> bool:
        adapter = self.account.adapter
        return isinstance(adapter, StreamsReplies) and adapter.streams_in(self.address.place)

    def parted(self, choices: Sequence[Choice]) -> tuple[tuple[Choice, ...], tuple[Choice, ...]]:
        """Return the choices that can be buttons here, and those that must be text."""
        adapter = self.account.adapter
        most = adapter.choices_at_most if isinstance(adapter, AsksChoices) else 0
        return tuple(choices[:most]), tuple(choices[most:])
