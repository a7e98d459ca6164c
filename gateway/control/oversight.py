"""All that the owner may ask about what others do with the bot, joined to its parts."""

from collections.abc import Callable

from gateway.clock import Clock
from gateway.contracts.stores import Store
from gateway.control.places import PlaceControl
from gateway.control.server import Verb
from gateway.control.sessions import SessionControl
from gateway.control.usage import UsageControl
from gateway.ids import AgentId
from gateway.money.budgets import Budgets
from gateway.people.directory import Directory
from gateway.people.places import Places
from gateway.pools.pool import Pool


def oversight(
    store: Store,
    directory: Directory,
    places: Places,
    budgets: Budgets,
    clock: Clock,
    pool_of: Callable[[AgentId], Pool | None],
) -> dict[str, Verb]:
    """Return the verbs `sessions.*`, `places.list` and `usage`."""
    sessions = SessionControl(store, directory, places, pool_of)
    usage = UsageControl(store.usage, budgets, directory, clock)
    return {
        **sessions.verbs(),
        **usage.verbs(),
        **PlaceControl(places, budgets.currency).verbs(),
    }
