import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli.main import main
from gateway.clock import SystemClock
from gateway.config import load_settings
from gateway.ids import AccountName, EventKey, ExternalUser, MessageId, PlatformName
from gateway.messages import Address, Message, Place
from gateway.parts import open_store
from gateway.people.pairing import Pairing
from gateway.store.store import SqlStore


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PARLEY_DATA_DIR", str(tmp_path))
    return tmp_path


async def pair(*arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, main, ["pair", *arguments])


@asynccontextmanager
async def opened_store(data_dir: Path) -> AsyncIterator[SqlStore]:
    settings = load_settings(None, {"PARLEY_DATA_DIR": str(data_dir)}).settings
    store = open_store(settings, SystemClock())
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def asked(data_dir: Path, name: str) -> str:
    """Have a stranger write to a gateway, and return the code they were given."""
    address = Address(
        PlatformName("telegram"),
        AccountName("bot"),
        ExternalUser("42"),
        Place("42", is_direct=True),
    )
    message = Message(EventKey("1"), MessageId("1"), address, name, "let me in", 0.0)
    async with opened_store(data_dir) as store:
        pairing = Pairing(store, data_dir / "pairing.key", SystemClock(), lambda: None)
        await pairing.ask(message, "not_paired")
        code = await pairing.new_code(address.platform, address.external_user)
    assert code is not None
    return code


async def test_nobody_has_asked_yet(data_dir: Path) -> None:
    async with opened_store(data_dir):
        pass
    result = await pair("list")
    assert (result.exit_code, result.stdout) == (0, "Nobody has asked yet.\n")


@pytest.mark.parametrize("ask", [["list"], ["approve", "ABCDEFGH"], ["dismiss", "telegram:7"]])
async def test_in_a_wrong_directory_nothing_is_made(data_dir: Path, ask: list[str]) -> None:
    result = await pair(*ask)
    assert result.exit_code == 1
    assert f"no gateway has run on {data_dir} yet: give the --config" in result.stderr
    assert list(data_dir.iterdir()) == []


async def test_a_stranger_is_let_in_while_no_gateway_runs(data_dir: Path) -> None:
    code = await asked(data_dir, "Ann\x1b[2J")
    listed = await pair("list")
    row = listed.stdout.splitlines()[1]
    assert row.startswith("telegram:42  Ann\\x1b[2J  bot      59 min")
    approved = await pair("approve", code.lower())
    assert approved.stdout == "Ann\\x1b[2J (telegram:42) may talk to the bot now.\n"
    again = await pair("approve", code)
    assert again.exit_code == 1
    assert "wrong, used or expired" in again.stderr
    assert "telegram:42" in (await pair("list")).stdout
    async with opened_store(data_dir) as store:
        person = await store.people.find(PlatformName("telegram"), ExternalUser("42"))
    assert person is not None
    assert person.role == "member"


async def test_people_are_let_in_and_out_by_id() -> None:
    admitted = await pair("admit", "telegram:7")
    assert admitted.stdout == "telegram:7 may talk to the bot now.\n"
    dismissed = await pair("dismiss", "telegram:7")
    assert dismissed.stdout == "telegram:7 is a stranger again.\n"
    again = await pair("dismiss", "telegram:7")
    assert (again.exit_code, again.stderr) == (1, "parley: telegram:7 is not known here.\n")


@pytest.mark.parametrize("identity", ["ann", "telegram:@ann", ":7", "telegram:"])
async def test_names_are_no_ids(identity: str) -> None:
    result = await pair("admit", identity)
    assert result.exit_code == 1
    assert "platform's own id" in result.stderr


@pytest.mark.parametrize(
    ("identity", "words"),
    [
        ("telegram:ann", "such as telegram:123456789"),
        ("discord:ann", "such as discord:123456789012345678"),
        ("slack:U0456EFGH", "such as slack:T0123ABCD:U0456EFGH"),
        ("telegarm:7", "on no platform of this version"),
    ],
)
async def test_what_nobodys_id_can_be_lets_in_nobody(identity: str, words: str) -> None:
    result = await pair("admit", identity)
    assert result.exit_code == 1
    assert words in result.stderr
