"""What commands reach beyond the store, reaching nothing."""

from pathlib import Path

from gateway.clock import Clock
from gateway.commands.builtin import Means
from gateway.contracts.inbox import Kept
from gateway.contracts.stores import Store
from gateway.ids import AgentId
from gateway.people.directory import Directory
from gateway.people.linking import Linking
from gateway.people.pairing import Pairing
from gateway.people.places import Places
from gateway.settings import AccessSettings
from tests.fakes.approvals import desk_over
from tests.fakes.money import budgets_over


async def _stop(_: Kept) -> bool:
    return False


async def _nothing(_: object) -> None:
    return


def no_means(store: Store, clock: Clock, folder: Path) -> Means:
    key_file = folder / "pairing.key"
    linking = Linking(store, key_file, _nothing, lambda: None)
    pairing = Pairing(store, key_file, clock, lambda: None)
    return Means(
        stop=_stop,
        release=_nothing,
        take_up=lambda _: None,
        linking=linking,
        pairing=pairing,
        budgets=budgets_over(store, clock),
        desk=desk_over(store, clock),
        stir=lambda: None,
        data_dir=folder,
        forget_after=86_400.0,
        directory=Directory(store.people, AccessSettings()),
        places=Places(AccessSettings(), store, lambda _: AgentId("main"), clock),
        written=lambda _, command: f"/{command}",
    )
