"""What people are told whose messages are refused: little, and not often."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

import structlog

from gateway.clock import Clock
from gateway.contracts.inbox import Inbox, Missed
from gateway.ids import MessageId
from gateway.inbound.rates import Excess
from gateway.messages import Address, Message, Origin, Receipt
from gateway.people.access import Reason, Refusal
from gateway.people.pairing import Pairing

log = structlog.get_logger()

_NOTICE_EVERY = 86_400.0
_BUSY_EVERY = 60.0
_REMEMBERED = 10_000
_TOLD_OTHERWISE = frozenset({
    Reason.IS_BOT,
    Reason.NOT_ADDRESSED,
    Reason.NOT_PAIRED,
    Reason.PLACE_NOT_ALLOWED,
    Reason.NOT_ASKED,
})
"""Not at all, by an announcement, or aside."""

ALLOWLIST_WORDS = (
    "I only talk to people my owner has let in. Your id here is `{identity}`: "
    "my owner can add it to `access.allowlist`."
)
OFF_WORDS = "I do not answer direct messages."
STRANGER_WORDS = "I only talk to people my owner has let in."
ASIDE_WORDS = {
    Reason.NOT_ASKED: "This was asked of somebody else.",
    Reason.PLACE_NOT_ALLOWED: "My owner has not allowed me to answer here.",
    Reason.DIRECT_MESSAGES_OFF: OFF_WORDS,
    Reason.NOT_ON_ALLOWLIST: STRANGER_WORDS,
    Reason.NOT_PAIRED: STRANGER_WORDS,
}
"""For a press or a command, which platforms let one answer so that only its sender sees it."""
BUSY_WORDS = (
    "Too many messages are waiting, so I did not take this one. "
    "Please send it again once I have caught up."
)

TOO_FAST_WORDS = (
    "You write faster than I may answer, so I did not take this message. "
    "Please send it again in a minute."
)
TOO_MANY_HERE_WORDS = (
    "More is written to me here than I may answer, so I did not take this message. "
    "Please send it again in a minute."
)


class Notices(Protocol):
    """The least that is needed of replies."""

    async def notice(
        self, address: Address, text: str, *, reply_to: MessageId | None = None
    ) -> object: ...


class TurnedAway:
    """Records refusals, and tells a person at most once a day, or a minute when busy."""

    def __init__(
        self,
        inbox: Inbox,
        missed: Missed,
        pairing: Pairing,
        notices: Notices,
        spawn: Callable[[Coroutine[Any, Any, object]], None],
        stir: Callable[[], None],
        clock: Clock,
    ) -> None:
        self._inbox = inbox
        self._missed = missed
        self._pairing = pairing
        self._notices = notices
        self._spawn = spawn
        self._stir = stir
        self._clock = clock
        self._told: dict[str, float] = {}

    async def refuse(self, message: Message, refusal: Refusal) -> Receipt:
        """Record it without its text, and answer where an answer is due."""
        aside = Receipt(is_taken=False, words=ASIDE_WORDS.get(refusal.reason, ""))
        if refusal.reason is Reason.NOT_ADDRESSED:
            return aside
        if not await self._record(message, refusal.reason):
            return aside
        address = message.address
        # The place is what the owner has to name in the settings, and no refusal tells it there.
        log.info(
            "message.refused",
            account=address.account,
            reason=refusal.reason.value,
            place=address.place_name,
        )
        if refusal.reason not in _TOLD_OTHERWISE:
            self._spawn(self._tell(message, refusal.reason))
        return aside

    def shed(self, message: Message) -> Receipt:
        """Say that a queue is full."""
        if self._is_due(f"busy {message.address.identity}", _BUSY_EVERY):
            self._spawn(
                self._notices.notice(message.address, BUSY_WORDS, reply_to=message.message_id)
            )
        return Receipt(is_taken=False, words=BUSY_WORDS)

    async def slow_down(self, message: Message, over: Excess) -> Receipt:
        """Record a message that came too fast, without its text, and say so once a minute."""
        words = TOO_FAST_WORDS if over == "person" else TOO_MANY_HERE_WORDS
        if not await self._inbox.refuse(message, "too_fast"):
            return Receipt(is_taken=False, words=words)
        address = message.address
        log.info("message.shed", account=address.account, limit=over)
        whose = message.address.identity if over == "person" else address.place_name
        # Who pressed or took a command from a menu is told by the receipt, and nobody else sees it.
        if message.origin is Origin.TYPED and self._is_due(f"fast {whose}", _BUSY_EVERY):
            self._spawn(self._notices.notice(address, words, reply_to=message.message_id))
        return Receipt(is_taken=False, words=words)

    async def miss(self, messages: Sequence[Message]) -> None:
        """Record what of one conversation is too old to be answered, and say so there, once."""
        if await self._missed.note(messages):
            log.info("messages.missed", account=messages[0].address.account, count=len(messages))
            self._stir()

    async def _record(self, message: Message, reason: Reason) -> bool:
        """Write it down; False for a message that was written down before."""
        if reason is Reason.NOT_PAIRED:
            return await self._pairing.ask(message, reason.value)
        # Which places call in vain is what an owner asks first.
        with_address = reason is Reason.PLACE_NOT_ALLOWED and message.is_addressed
        return await self._inbox.refuse(message, reason.value, with_address=with_address)

    async def _tell(self, message: Message, reason: Reason) -> None:
        if not self._is_due(f"refused {message.address.identity}", _NOTICE_EVERY):
            return
        words = ALLOWLIST_WORDS.format(identity=message.address.identity)
        is_off = reason is Reason.DIRECT_MESSAGES_OFF
        await self._notices.notice(message.address, OFF_WORDS if is_off else words)

    def _is_due(self, what: str, every: float) -> bool:
        now = self._clock.now()
        if now - self._told.get(what, -every) < every:
            return False
        while len(self._told) >= _REMEMBERED:
            self._told.pop(next(iter(self._told)))
        self._told.pop(what, None)
        self._told[what] = now
        return True
