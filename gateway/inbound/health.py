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
    first_alive: asyncio.Event = field(default_factory=asyncio.Event)

    def alive(self) -> None:
        """The platform has just answered."""
        self.last_alive = self.clock.now()
        self.first_alive.set()
        if self.state != "running":
            log.info("adapter.connected", account=self.account)
        self.state, self.reason = "running", ""

    def troubled(self, reason: str) -> None:
        """Something is wrong; it stands until `alive`."""
        if (self.state, self.reason) != ("troubled", reason):
            log.warning("adapter.troubled", account=self.account, reason=reason)
        self.state, self.reason = "troubled", reason

    def stopped(self, reason: str) -> None:
        """It will not run again in this process."""
        self.state, self.reason = "stopped", reason

    def describe(self) -> dict[str, object]:
        seconds = None if self.last_alive is None else self.clock.now() - self.last_alive
        return {
            "account": self.account,
            "state": self.state,
            "reason": self.reason,
            "seconds_since_alive": None if seconds is None else round(seconds, 1),
        }
