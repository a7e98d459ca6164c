"""What each adapter last said of itself; a socket that says nothing is not healthy."""

import asyncio
from dataclasses import dataclass, field

import structlog

from gateway.clock import Clock
from gateway.ids import AccountName

log = structlog.get_logger()


@dataclass
class AccountHealth:
    """One account's state, as `status` shows it."""

    account: AccountName
    clock: Clock
    state: str = "starting"
    reason: str = ""
    last_alive: float | None = None
    """By the clock that never runs backwards, as `last_word`."""
    last_word: float = 0.0
    """When it last said anything of itself, be it of trouble."""
    is_waiting: bool = False
    """It has told of trouble in this run, and may be waiting for its end."""
    first_alive: asyncio.Event = field(default_factory=asyncio.Event)

    def begun(self) -> None:
        """It runs, anew or for the first time, and has said nothing yet."""
        self.last_word, self.is_waiting = self.clock.monotonic(), False

    def alive(self) -> None:
        """The platform has just answered."""
        self.last_alive = self.last_word = self.clock.monotonic()
        self.is_waiting = False
        self.first_alive.set()
        if self.state != "running":
            log.info("adapter.connected", account=self.account)
        self.state, self.reason = "running", ""

    def troubled(self, reason: str) -> None:
        """Something is wrong; it stands until `alive`."""
        self.last_word, self.is_waiting = self.clock.monotonic(), True
        if (self.state, self.reason) != ("troubled", reason):
            log.warning("adapter.troubled", account=self.account, reason=reason)
        self.state, self.reason = "troubled", reason

    def silent(self, seconds: float) -> None:
        """It has said nothing for so long that it is taken for dead."""
        reason = f"nothing was heard of it for {seconds:.0f} s; it is begun anew"
        log.warning("adapter.silent", account=self.account, seconds=round(seconds))
        self.state, self.reason = "silent", reason

    def stopped(self, reason: str) -> None:
        """It will not run again in this process."""
        self.state, self.reason = "stopped", reason

    def describe(self) -> dict[str, object]:
        seconds = None if self.last_alive is None else self.clock.monotonic() - self.last_alive
        return {
            "account": self.account,
            "state": self.state,
            "reason": self.reason,
            "seconds_since_alive": None if seconds is None else round(seconds, 1),
        }
