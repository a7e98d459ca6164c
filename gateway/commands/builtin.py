"""All commands of the gateway, joined to what they need."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from gateway.clock import Clock
from gateway.commands.approval import Allow, Deny
from gateway.commands.audit import Audit
from gateway.commands.compact import Compact
from gateway.commands.export import Export
from gateway.commands.forget import Forget
from gateway.commands.help import Help
from gateway.commands.link import LinkAccounts
from gateway.commands.linked import Linked
from gateway.commands.model import Model
from gateway.commands.new import New
from gateway.commands.pair import Pair
from gateway.commands.people import People
from gateway.commands.places import Places
from gateway.commands.registry import Commands, Written
from gateway.commands.resume import Resume
from gateway.commands.retry import Retry
from gateway.commands.sessions import Sessions
from gateway.commands.start import Start
from gateway.commands.status import Status
from gateway.commands.stop import Stop
from gateway.commands.unlink import Unlink
from gateway.commands.usage import Usage
from gateway.commands.whoami import Whoami
from gateway.contracts.inbox import Kept
from gateway.contracts.stores import Store
from gateway.ids import Lane
from gateway.money.budgets import Budgets
from gateway.people.directory import Directory
from gateway.people.linking import Linking
from gateway.people.pairing import Pairing
from gateway.people.places import Places as KnownPlaces
from gateway.runners.approval_desk import ApprovalDesk


@dataclass(frozen=True, slots=True)
class Means:
    """What commands reach beyond the store."""

    stop: Callable[[Kept], Awaitable[bool]]
    release: Callable[[str], Awaitable[None]]
    take_up: Callable[[Lane], None]
    linking: Linking
    pairing: Pairing
    budgets: Budgets
    desk: ApprovalDesk
    stir: Callable[[], None]
    data_dir: Path
    forget_after: float
    directory: Directory
    places: KnownPlaces
    written: Written


def builtin_commands(store: Store, clock: Clock, means: Means) -> Commands:
    commands = Commands([
        Start(means.written),
        Help(lambda: commands, means.written),
        New(),
        Compact(),
        Model(means.release),
        Stop(means.stop),
        Status(store.inbox),
        Usage(store.usage, store.people, means.budgets, clock),
        Whoami(),
        Retry(store.turns, means.take_up),
        Allow(means.desk),
        Deny(means.desk),
        LinkAccounts(means.linking),
        Linked(means.linking),
        Unlink(means.linking),
        Sessions(),
        Resume(),
        Export(store.privacy, means.data_dir, clock),
        Forget(store.privacy, means.forget_after, means.stir),
        Pair(means.pairing),
        People(means.directory),
        Places(means.places),
        Audit(store.audit),
    ])
    return commands
