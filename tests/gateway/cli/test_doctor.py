import asyncio
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.cli.main import main
from tests.fakes.openai import FakeOpenAI
from tests.fakes.telegram import FakeTelegram


@pytest.fixture
def config(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    return tmp_path / "config.yaml"


def write(config: Path, telegram: FakeTelegram, model: FakeOpenAI, **changed: str) -> None:
    token = changed.get("token", telegram.token)
    key = changed.get("key", model.key)
    config.write_text(
        "data_dir: .\n"
        "agents:\n"
        f"  main: {{provider: openai, model: test-model, base_url: '{model.base_url}',"
        f" api_key: '{key}'}}\n"
        f"adapters: {{telegram: {{api_base: '{telegram.url}', token: '{token}'}}}}\n"
    )
    config.chmod(0o600)


async def doctor(config: Path, *options: str) -> Result:
    arguments = ["doctor", "--config", str(config), *options]
    return await asyncio.to_thread(CliRunner().invoke, main, arguments)


async def findings(config: Path) -> dict[str, dict[str, Any]]:
    result = await doctor(config, "--json")
    return {finding["subject"]: finding for finding in json.loads(result.stdout)}


async def test_all_is_well(config: Path) -> None:
    async with FakeTelegram() as telegram, FakeOpenAI() as model:
        write(config, telegram, model)
        found = await findings(config)
    assert {subject: finding["state"] for subject, finding in found.items()} == {
        "versions": "ok",
        "sqlite": "ok",
        "data_dir": "ok",
        "disk": "ok",
        "settings": "warn",
        "gateway": "ok",
        "store": "ok",
        "audit": "ok",
        "adapters.telegram": "ok",
        "agents.main": "ok",
    }
    assert "@parley_bot" in found["adapters.telegram"]["words"]
    assert found["store"]["words"] == "will be made at the first start"


async def test_a_bad_token_and_a_bad_key_are_told_with_their_cures(config: Path) -> None:
    async with FakeTelegram() as telegram, FakeOpenAI() as model:
        write(config, telegram, model, token="123456:WRONG-TOKEN", key="sk-wrong-key")
        result = await doctor(config)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert any(line.startswith("fail  adapters.telegram") for line in lines)
    assert any(line.startswith("fail  agents.main") for line in lines)
    assert "adapters.telegram: get a valid token from the platform" in result.stdout
    assert "agents.main: check `api_key` and `model`" in result.stdout
    assert lines[-1].endswith("2 failed")


async def test_t71_a_broken_trail_is_a_failure_with_its_cure(config: Path) -> None:
    async with FakeTelegram() as telegram, FakeOpenAI() as model:
        write(config, telegram, model)
        admit = ["pair", "admit", "telegram:7", "--config", str(config)]
        for _ in range(2):
            await asyncio.to_thread(CliRunner().invoke, main, admit)
        assert (await findings(config))["audit"]["words"] == "whole, 2 rows"
        with sqlite3.connect(config.parent / "parley.db") as connection:
            connection.execute("update audit set actor = 'telegram:mallory' where number = 1")
        connection.close()
        result = await doctor(config)
    assert result.exit_code == 1
    assert "row 1 of the audit trail is not as it was written" in result.stdout
    assert "audit: compare `parley people audit --json` with a backup" in result.stdout


async def test_t45_no_secret_is_printed(config: Path) -> None:
    async with FakeTelegram() as telegram, FakeOpenAI() as model:
        write(config, telegram, model, token="123456:WRONG-TOKEN", key="sk-wrong-key")
        for options in ([], ["--json"], ["--debug"]):
            result = await doctor(config, *options)
            assert "WRONG-TOKEN" not in result.output
            assert "sk-wrong-key" not in result.output


async def test_wrong_settings_are_told_as_ever(config: Path) -> None:
    config.write_text("agents: 1")
    result = await doctor(config)
    assert result.exit_code == 2
    assert result.stderr.startswith("parley: agents: must be a mapping")
