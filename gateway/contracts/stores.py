"""The store contract: what is kept, and which changes are made together.

Every writing method returns after its commit (commits of concurrent callers are
grouped), or raises `StoreBusy` with nothing kept. A method that takes a `Turn`
compares the turn's fence in the same transaction and raises `LaneLost` when the lane
has a newer owner. Times are seconds since 1970, UTC, from the store's clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from gateway.contracts.approvals import Approvals
from gateway.contracts.dead_letters import DeadLetters
from gateway.contracts.inbox import Inbox, Kept, Missed, Overheard
from gateway.contracts.linking import Announcements, Audit, Links
from gateway.contracts.money import Holds, UsageLedger
from gateway.contracts.overview import Overview
from gateway.contracts.people import Identities, Pairings, People
from gateway.contracts.privacy import Privacy
from gateway.ids import (
    AccountName,
    AgentId,
    ExternalUser,
    HoldId,
    MessageId,
    OutboxId,
    PersonId,
    PlatformName,
    SessionId,
    TurnId,
)
from gateway.messages import Address, OutgoingFile
from gateway.transcript import Entry, StoredEntry, Usage


class TurnState(StrEnum):
    """Where a turn is."""

    RUNNING = "running"
    POSTPONED = "postponed"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    """By its person, who may also have left; `/retry` may revive it."""
    TIMED_OUT = "timed_out"
    DEAD = "dead"
    """Given up after too many attempts; `/retry` may revive it."""
    DROPPED = "dropped"
    """It had failed or died, and who runs the gateway closed it for good."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message and its reply, under a lease."""

    id: TurnId
    kept: Kept
    fence: int
    attempt: int
    """1 at first, 2 after a `/retry`; counted before any work, so that poison is found."""
    started_at: float
    """Of the first attempt, or of the `/retry` that began it anew."""
    is_resumed: bool = False
    """An earlier attempt may have kept or sent something."""


class Turns(Protocol):
    """Turns and their steps."""

    async def begin(self, kept: Kept) -> Turn:
        """Claim the lane (a new fence) and count an attempt; the same turn on a retry."""
        ...

    async def session(self, turn: Turn) -> "SessionInfo":
        """Return the session that a turn began in, or the active one of its message's key.

        That is the key as it is now: the turn's person may have been linked or unlinked
        since the turn began.
        """
        ...

    async def postpone(self, turn: Turn, until: float) -> None:
        """Put the message off, uncounting the attempt: the model is down."""
        ...

    async def put_aside(self, turn: Turn) -> None:
        """As `postpone`, and out of the way of other accounts: nothing can be sent on its own.

        With it goes what waits behind it for the same account.
        """
        ...

    async def take_up_aside(self) -> None:
        """Let all that was put aside wait in its own place again."""
        ...

    async def finish(self, turn: Turn, state: TurnState, reason: str = "") -> None:
        """End the turn and close its message; the reason is for who runs the gateway."""
        ...

    async def revive(self, session_key: str, *, by: Kept | None = None) -> Kept | None:
        """Make the lane's last turn, if it failed, stopped or died, wait again.

        Given who asks for it, none but a turn of their own: it has its own sender's rights.
        Its earlier messages stay as they are: the new attempt writes new ones.
        """
        ...

    async def unfinished(self) -> frozenset[TurnId]:
        """Return the turns that have begun and not come to their end."""
        ...

    async def start_step(self, turn: Turn, call_id: str, tool: str) -> None:
        """Note that a tool call which must not be repeated is about to run."""
        ...

    async def started_steps(self, turn: TurnId) -> frozenset[str]:
        """Return the call ids that `start_step` noted; a result entry says which ended."""
        ...


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """One history and whom it belongs to."""

    id: SessionId
    agent: AgentId
    key: str
    person: PersonId | None
    title: str | None
    model: str | None
    """Chosen by `/model`; None means the agent's default."""
    prompt: str | None
    """The system prompt, frozen at the session's first turn."""
    created_at: float
    last_active: float
    is_archived: bool


class Sessions(Protocol):
    """Sessions; at most one active for a key."""

    async def active(self, key: str) -> SessionInfo | None: ...

    async def resolve(self, agent: AgentId, key: str, person: PersonId | None) -> SessionInfo:
        """Return the key's active session, making one if there is none, in one step."""
        ...

    async def create(self, agent: AgentId, key: str, person: PersonId | None) -> SessionInfo:
        """Archive the key's active session, if any, and make a new one."""
        ...

    async def rotate(
        self,
        agent: AgentId,
        key: str,
        person: PersonId | None,
        expected: SessionId | None,
        to: SessionId | None = None,
    ) -> SessionInfo:
        """As `create`, unless the active session is not `expected`: then return that one.

        Given `to`, that archived session of the person is taken up in place of a new one.

        Raises:
            Refused: the person has no such session.
        """
        ...

    async def get(self, session: SessionId) -> SessionInfo | None: ...

    async def all(
        self,
        agent: AgentId | None = None,
        *,
        person: PersonId | None = None,
        archived: bool = False,
    ) -> Sequence[SessionInfo]:
        """Return sessions, newest activity first; given a person, those that are theirs alone."""
        ...

    async def archive(self, session: SessionId, *, by: str | None = None) -> bool:
        """Put an active session aside; False when there is none.

        What somebody does with another's is noted in the audit trail with it: `by` says who.
        """
        ...

    async def set_model(self, session: SessionId, model: str | None) -> None: ...

    async def freeze_prompt(self, session: SessionId, prompt: str, title: str | None) -> None: ...

    async def move_place(self, platform: PlatformName, old: str, new: str) -> int:
        """Let sessions of an old `channel_context` go on under the new; return how many."""
        ...


class Transcript(Protocol):
    """What was said in sessions."""

    async def append(
        self,
        session: SessionId,
        entries: Sequence[Entry],
        *,
        turn: Turn | None = None,
        usage: Usage | None = None,
        model: str | None = None,
        micros: int = 0,
        hold: HoldId | None = None,
    ) -> None:
        """Add entries (and the usage of the call that made them), and touch the session.

        The usage is that of the turn's payer, or else of the session's person. With it ends
        what was held for the call.
        """
        ...

    async def history(self, session: SessionId) -> Sequence[StoredEntry]:
        """Return what a model should see: newest summary first, then what follows it."""
        ...

    async def everything(self, session: SessionId) -> Sequence[StoredEntry]:
        """Return all entries, folded ones included."""
        ...

    async def fold(
        self, session: SessionId, summary: str, *, upto: int, expected_last: int
    ) -> bool:
        """Put a summary in the place of all entries up to `upto`.

        False, with nothing changed, when the newest summary is no longer `expected_last`
        (its seq; 0 for none): somebody else has folded meanwhile.
        """
        ...

    async def search(
        self, session: SessionId, words: str, limit: int = 20
    ) -> Sequence[StoredEntry]: ...


class OutboxState(StrEnum):
    """Where a visible message is; see docs/delivery.md."""

    SENDING = "sending"
    """Committed before the request leaves."""
    SENT = "sent"
    """Its id is known; it may still be edited."""
    FINAL = "final"
    UNKNOWN = "unknown"
    """It may or may not have arrived, and cannot be repeated."""
    FAILED = "failed"
    ABANDONED = "abandoned"


class OutboxKind(StrEnum):
    """What a row sends."""

    TEXT = "text"
    FILES = "files"


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One visible message, or one set of files sent together."""

    id: OutboxId
    turn: TurnId | None
    """None for a notice outside any turn."""
    address: Address
    position: int
    """Counts a turn's rows of one kind from 0: parts in reading order."""
    kind: OutboxKind
    state: OutboxState
    text: str
    files: tuple[OutgoingFile, ...]
    message_id: MessageId | None
    created_at: float


class Outbox(Protocol):
    """What will be sent, written down before it is."""

    async def begin(
        self,
        address: Address,
        *,
        turn: Turn | None,
        position: int,
        kind: OutboxKind,
        text: str = "",
        files: Sequence[OutgoingFile] = (),
        announcement: int | None = None,
    ) -> OutboxRow:
        """Add a row in state `sending`; `announcement` is the number of what it says."""
        ...

    async def sent(self, row: OutboxId, message_id: MessageId, text: str) -> None: ...

    async def checkpoint(self, row: OutboxId, text: str) -> None:
        """Note what a growing message says by now."""
        ...

    async def settle(self, row: OutboxId, state: OutboxState, reason: str = "") -> None: ...

    async def settle_later(self, row: OutboxId, state: OutboxState) -> None:
        """As `settle`, but return before the commit: for states that a crash may forget."""
        ...

    async def of_turn(self, turn: TurnId) -> Sequence[OutboxRow]: ...

    async def of_announcement(self, number: int) -> Sequence[OutboxRow]:
        """Return the rows of what is not known yet to have been told."""
        ...

    async def asked_by(self, account: AccountName, message_id: MessageId) -> ExternalUser | None:
        """Return whom a message of ours was for; None when it is not known any more."""
        ...

    async def unsettled_notices(self) -> Sequence[OutboxRow]:
        """Return rows that are neither final nor given up, of no turn and no announcement."""
        ...


class Cursors(Protocol):
    """Named positions in platforms' event streams."""

    async def load(self, name: str) -> str | None: ...

    async def save(self, name: str, position: str) -> None: ...


class Store(Protocol):
    """Everything that outlives the process."""

    inbox: Inbox
    turns: Turns
    sessions: Sessions
    transcript: Transcript
    outbox: Outbox
    cursors: Cursors
    missed: Missed
    overheard: Overheard
    approvals: Approvals
    usage: UsageLedger
    holds: Holds
    people: People
    pairings: Pairings
    identities: Identities
    links: Links
    announcements: Announcements
    audit: Audit
    overview: Overview
    privacy: Privacy
    dead_letters: DeadLetters

    async def open(self) -> None:
        """Bring the schema up to date and take the store for this process.

        Raises:
            StoreFailed: cannot be opened, is damaged, or another process has it.
        """
        ...

    async def close(self) -> None: ...

    async def check(self) -> str:
        """Return versions and sizes in one line, for `doctor`."""
        ...

    async def prune(self, before: float) -> int:
        """Forget what was kept before then and waits no more, save what was said; count it."""
        ...
