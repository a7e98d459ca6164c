"""All commands of the gateway, joined to what they need."""

from collections.abc import Awaitable, Callable

from gateway.clock import Clock
from gateway.commands.approval import Allow, Deny
from gateway.commands.compact import Compact
from gateway.commands.help import Help
from gateway.commands.model import Model
from gateway.commands.new import New
from gateway.commands.registry import Commands
from gateway.commands.retry import Retry
from gateway.commands.start import Start
from gateway.commands.status import Status
from gateway.commands.stop import Stop
from gateway.commands.usage import Usage
from gateway.commands.whoami import Whoami
from gateway.contracts.stores import Store
from gateway.ids import Lane
from gateway.money.budgets import Budgets
from gateway.runners.approval_desk import ApprovalDesk


def builtin_commands(
    store: Store,
    budgets: Budgets,
    desk: ApprovalDesk,
    clock: Clock,
    stop: Callable[[str], Awaitable[bool]],
    release: Callable[[Lane], object],
) -> Commands:
    commands = Commands([
        Start(),
        Help(lambda: commands),
        New(),
        Compact(),
        Model(release),
        Stop(stop),
        Status(store.inbox),
        Usage(store.usage, store.people, budgets, clock),
        Whoami(),
        Retry(store.turns),
        Allow(desk),
        Deny(desk),
    ])
    return commands
