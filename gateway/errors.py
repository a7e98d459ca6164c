"""Every error the gateway raises, classed by what the catcher does.

GatewayError
├─ RetryLater          wait `after` seconds, then try again; nothing was applied
│   └─ StoreBusy       the store could not take the write now
├─ AccountRejected     stop this adapter; tell the operator
├─ Refused             tell the user, in the words kept on the error
│   ├─ NotAllowed
│   ├─ Busy
│   └─ TooLong
├─ SendUncertain       it may have arrived: never resend blindly, record it
├─ SendRefused         the platform said no for good; nothing was sent
├─ NotSupported        this place lacks the ability: use the plainer way from now on
├─ ProviderFailed      the turn fails, in the words kept on the error
│   └─ ProviderUnavailable  the model is down for now: keep the message, try again later
│       └─ ModelResting     it was not even asked: ask another, or come back later
├─ ChatTimeout         the turn reached its time limit; the session goes on
├─ TurnStopped         the user stopped the turn; keep what was written
├─ LaneLost            another owner has this lane: write nothing more
│   └─ MessageGone     it was taken back, or waits in another lane: go on with the next
├─ StoreFailed         the store is unusable: say why, exit
└─ ConfigInvalid       print path and cure; exit 2
"""

from collections.abc import Iterator
from contextlib import contextmanager

MALFORMED = (KeyError, TypeError, ValueError, IndexError, AttributeError)
"""What reading something may raise that is not formed as it should be."""


@contextmanager
def reading(otherwise: Exception) -> Iterator[None]:
    """Raise `otherwise` where what the body reads is not formed as it should be.

    Only for the reading: an accident elsewhere would be hidden.
    """
    try:
        yield
    except MALFORMED:
        raise otherwise from None


class GatewayError(Exception):
    """The root; catching it means catching what the gateway itself reports."""


class RetryLater(GatewayError):
    """Nothing was applied; the same call may succeed after `after` seconds."""

    def __init__(self, reason: str, after: float) -> None:
        super().__init__(reason)
        self.after = after


class HeldBack(RetryLater):
    """An adapter keeps a limit of its platform's, which has refused nothing."""


class StoreBusy(RetryLater):
    """The store could not take a write now (disk full, locked); nothing was kept."""


class AccountRejected(GatewayError):
    """The platform refuses the account's credentials or permissions."""


class Refused(GatewayError):
    """The user asked for what cannot be had; `str(error)` is what they are told."""


class NotAllowed(Refused):
    """The person may not do this here."""


class Busy(Refused):
    """A bounded queue is full."""


class TooLong(Refused):
    """Text or file is over a limit that no splitting can mend."""


class SendUncertain(GatewayError):
    """The request may have been applied; only a keyed send may be repeated."""


class SendRefused(GatewayError):
    """The platform refused this send or edit for good; it was not applied."""

    def __init__(self, reason: str, *, is_gone: bool = False) -> None:
        super().__init__(reason)
        self.is_gone = is_gone
        """Nothing at all is taken there: the place is gone, or its person has shut the bot out."""


class NotSupported(GatewayError):
    """This place or server lacks the ability; fall back and do not ask again."""


class ProviderFailed(GatewayError):
    """The model cannot answer this request; `str(error)` is fit for the user."""


class ProviderUnavailable(ProviderFailed):
    """The model is overloaded, silent or unreachable; the request itself is fine."""

    def __init__(
        self, words: str, after: float | None = None, *, is_server_down: bool = True
    ) -> None:
        super().__init__(words)
        self.after = after
        """Seconds the server asked us to wait, if it said so."""
        self.is_server_down = is_server_down
        """False when it was only this request that the server could not take now."""


class ModelResting(ProviderUnavailable):
    """The server has failed so often that it was not asked; trying at once again is no use."""


class ChatTimeout(GatewayError):
    """The turn reached its wall-clock limit."""


class TurnStopped(GatewayError):
    """The user asked for the turn to end."""


class LaneLost(GatewayError):
    """The fencing number is no longer ours: another owner works on this lane."""


class MessageGone(LaneLost):
    """The message's turn cannot begin now: it left the lane, or its place in it."""


class StoreFailed(GatewayError):
    """The store cannot be opened or trusted; the message says what to do."""


class ConfigInvalid(GatewayError):
    """A setting is wrong; `path` names it, the message says what to do."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}" if path else problem)
        self.path = path
        self.problem = problem
