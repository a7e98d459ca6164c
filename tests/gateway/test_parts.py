"""The parts are made as the settings say."""

import stat
from pathlib import Path
from typing import Any

import pytest

from gateway.contracts.people import Person
from gateway.errors import ConfigInvalid, StoreFailed
from gateway.ids import AccountName, AgentId, PersonId
from gateway.inbound.health import AccountHealth
from gateway.parts import (
    AccountCursor,
    adapter_type,
    agents_of,
    build_adapter,
    build_pools,
    build_routing,
    make_data_dir,
    open_store,
    store_url,
)
from gateway.people.access import Admission
from gateway.people.roles import Role
from gateway.providers.breakers import Breakers
from gateway.settings import GatewaySettings, PlaceSettings
from gateway.store.store import SqlStore
from tests.fakes.approvals import desk_over
from tests.fakes.clock import FakeClock
from tests.fakes.money import budgets_over
from tests.fakes.packages import install
from tests.messages import direct, message

PLATFORM = """
from gateway.contracts.adapter import Adapter
from gateway.messages import Limits
from gateway.settings import AdapterSettings


class Settings(AdapterSettings):
    perches: int = 1


class Parrot(Adapter):
    platform = "parrot"
    settings_type = Settings
    limits = Limits(text=100)

    def __init__(self, name, settings, kit):
        super().__init__(name, settings, kit)
        self.settings, self.kit = settings, kit

    async def run(self, deliver): ...

    async def send(self, to, message): ...
"""


def settings(**more: Any) -> GatewaySettings:
    return GatewaySettings.model_validate(more)


@pytest.fixture
def parrots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "parrots", PLATFORM, adapters="parrot = parrots:Parrot")


@pytest.mark.usefixtures("parrots")
async def test_an_installed_adapter_is_made_from_its_entry(tmp_path: Path) -> None:
    given = settings(
        data_dir=tmp_path, adapters={"work": {"platform": "parrot", "perches": 2}, "parrot": {}}
    )
    clock = FakeClock()
    store = open_store(given, clock)
    await store.open()
    for name, perches in (("work", 2), ("parrot", 1)):
        health = AccountHealth(AccountName(name), clock)
        made: Any = build_adapter(given, health, store.cursors, (), clock)
        assert (made.name, made.platform, made.settings.perches) == (name, "parrot", perches)
        assert made.kit.health is health
        assert made.kit.data_dir == tmp_path
        assert await made.kit.cursor.load() is None
        await made.kit.cursor.save(name)
        assert await made.kit.cursor.load() == name
    await store.close()


@pytest.mark.usefixtures("parrots")
def test_a_platform_that_is_not_installed_is_named_with_those_that_are() -> None:
    with pytest.raises(ConfigInvalid, match=r"adapters\.x: no adapter for 'owl'.*parrot"):
        adapter_type("owl", "adapters.x")


async def test_two_accounts_keep_two_places(tmp_path: Path) -> None:
    store = SqlStore(f"sqlite:///{tmp_path / 'parley.db'}", clock=FakeClock())
    await store.open()
    one, two = (AccountCursor(store.cursors, AccountName(name)) for name in ("one", "two"))
    await one.save("1")
    await two.save("2")
    assert (await one.load(), await two.load()) == ("1", "2")
    await store.close()


def test_the_data_directory_is_private(tmp_path: Path) -> None:
    given = settings(data_dir=tmp_path / "a" / "b")
    make_data_dir(given)
    make_data_dir(given)
    assert stat.S_IMODE(given.data_dir.stat().st_mode) == 0o700


def test_a_data_directory_that_cannot_be_made_is_told_with_its_cure(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreFailed, match="Choose another with data_dir"):
        make_data_dir(settings(data_dir=tmp_path / "file" / "data"))


def test_the_database_is_in_the_data_directory_unless_it_is_named() -> None:
    assert store_url(settings(data_dir="d")) == "sqlite:///d/parley.db"
    assert store_url(settings(store={"url": "sqlite:///other.db"})) == "sqlite:///other.db"


def test_without_agents_the_demo_answers() -> None:
    assert {name: one.provider for name, one in agents_of(settings()).items()} == {"main": "demo"}
    assert list(agents_of(settings(agents={"b": {"provider": "demo"}}))) == ["b"]


def test_an_account_may_name_its_agent() -> None:
    agents = {"first": {"provider": "demo"}, "second": {"provider": "demo"}}
    routing = build_routing(
        settings(agents=agents, adapters={"one": {}, "two": {"agent": "second"}})
    )
    admission = Admission(Person(PersonId("p"), "guest", False), Role.GUEST, PlaceSettings())
    agent_of = {
        account: routing.route(
            message(address=direct(account=account)), admission, is_control=False
        ).agent
        for account in ("one", "two")
    }
    assert agent_of == {"one": "first", "two": "second"}


async def test_an_unknown_tool_is_told_by_its_path(tmp_path: Path) -> None:
    agents = {"main": {"provider": "demo", "tools": ["fly"]}}
    given = settings(data_dir=tmp_path, agents=agents)
    store, clock = open_store(given, FakeClock()), FakeClock()
    with pytest.raises(ConfigInvalid, match=r"agents\.main\.tools"):
        build_pools(
            given,
            store,
            budgets_over(store, clock),
            desk_over(store, clock),
            Breakers(clock, lambda _: None),
            clock,
        )


async def test_every_agent_has_a_pool_once_they_are_started(tmp_path: Path) -> None:
    given = settings(data_dir=tmp_path)
    store = open_store(given, FakeClock())
    await store.open()
    budgets, desk = budgets_over(store, FakeClock()), desk_over(store, FakeClock())
    breakers = Breakers(FakeClock(), lambda _: None)
    async with build_pools(given, store, budgets, desk, breakers, FakeClock()) as pools:
        await pools.start_all()
        assert pools.get(AgentId("main")) is pools.default_pool
    await store.close()
