import asyncio
import signal
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli.main import main
from tests.fakes.command import Ended, ended, parley, started
from tests.fakes.openai import FakeOpenAI
from tests.fakes.telegram import FakeTelegram, Message, User


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config.yaml"


def write(config: Path, telegram: FakeTelegram, model: FakeOpenAI | None = None) -> None:
    agent = "{provider: demo}"
    if model is not None:
        agent = f"{{provider: openai, model: test-model, base_url: '{model.base_url}'}}"
    config.write_text(
        f"agents: {{main: {agent}}}\n"
        f"adapters: {{telegram: {{api_base: '{telegram.url}'}}}}\n"
        "access: {direct_messages: open}\n"
    )


async def serve(config: Path, **extra: str) -> Ended:
    return await parley("serve", "--config", str(config), cwd=config.parent, **extra)


def last_lines(error: str) -> list[str]:
    """Return what was said outside the log."""
    return [line for line in error.splitlines() if not line.startswith("{")]


def serving(
    config: Path, telegram: FakeTelegram, model: FakeOpenAI
) -> AbstractAsyncContextManager[asyncio.subprocess.Process]:
    keys = {"TELEGRAM_BOT_TOKEN": telegram.token, "OPENAI_API_KEY": model.key}
    return started("serve", "--config", str(config), cwd=config.parent, **keys)


async def until_polled(telegram: FakeTelegram) -> None:
    await telegram.watch.until(
        lambda: telegram.updates.polls > 0, timeout=20, now=lambda: telegram.log
    )


async def until_seen(user: User, words: str) -> None:
    """Wait until a user sees words in their chat, in a message or in a draft."""

    def sees(shown: list[Message]) -> bool:
        draft = user.chat.draft()
        texts = [one.text for one in shown] + ([draft.text] if draft else [])
        return any(words in text for text in texts)

    await user.chat.until(sees, timeout=20)


async def until_logged(process: asyncio.subprocess.Process, event: str) -> None:
    assert process.stderr is not None
    async with asyncio.timeout(20):
        while event not in (await process.stderr.readline()).decode():
            pass


def test_the_help_lists_the_exit_codes_one_a_line() -> None:
    told = CliRunner().invoke(main, ["serve", "--help"]).stdout
    assert "\n    2  the settings are wrong\n    3  the store" in told


async def test_wrong_settings_end_it_with_two(config: Path) -> None:
    config.write_text("agents: {main: {provider: demmo}}\nadapters: {local: {}}")
    result = await serve(config)
    assert result.code == 2
    assert result.err == (
        "parley: agents.main.provider: there is no provider `demmo`; did you mean `demo`?\n"
    )


async def test_without_an_account_there_is_nothing_to_serve(tmp_path: Path) -> None:
    result = await parley("serve", cwd=tmp_path)
    assert result.code == 2
    assert "there is no account to serve" in result.err
    assert not (tmp_path / "data").exists()


async def test_a_rejected_token_ends_it_with_four(config: Path) -> None:
    async with FakeTelegram() as telegram:
        write(config, telegram)
        result = await serve(config, TELEGRAM_BOT_TOKEN="123456:wrong-token")
    assert result.code == 4
    (line,) = last_lines(result.err)
    assert line.startswith("parley: no account is left to serve (telegram: ")
    assert "wrong-token" not in result.err


async def test_a_directory_that_cannot_be_made_ends_it_with_three(config: Path) -> None:
    (config.parent / "file").write_text("")
    config.write_text("data_dir: file/data\nadapters: {local: {}}")
    result = await serve(config)
    assert result.code == 3
    (line,) = last_lines(result.err)
    assert line.startswith(f"parley: cannot make the data directory {config.parent}/file/data")


async def test_a_damaged_database_ends_it_with_three(config: Path) -> None:
    (config.parent / "data").mkdir()
    (config.parent / "data" / "parley.db").write_bytes(b"this is no database" * 1000)
    config.write_text("adapters: {local: {}}")
    result = await serve(config)
    assert result.code == 3
    assert len(last_lines(result.err)) == 1


async def test_a_second_process_on_one_store_ends_with_three(config: Path) -> None:
    async with FakeTelegram() as telegram:
        write(config, telegram)
        token = {"TELEGRAM_BOT_TOKEN": telegram.token}
        async with started("serve", "-c", str(config), cwd=config.parent, **token) as process:
            await until_polled(telegram)
            result = await serve(config, **token)
            process.terminate()
            assert (await ended(process)).code == 0
    assert result.code == 3
    (line,) = last_lines(result.err)
    assert "another parley process" in line


async def test_sigterm_lets_an_answer_end(config: Path) -> None:
    gate = asyncio.Event()
    async with FakeTelegram() as telegram, FakeOpenAI() as model:
        write(config, telegram, model)
        model.say("The end ", gate, "is near.")
        async with serving(config, telegram, model) as process:
            await until_polled(telegram)
            ann = telegram.user(42, "Ann")
            ann.writes("tell me")
            await until_seen(ann, "The end")
            process.terminate()
            gate.set()
            result = await ended(process)
    assert result.code == 0
    assert ann.chat.bot_texts()[-1].startswith("The end is near.")


async def test_a_second_signal_ends_it_at_once(config: Path) -> None:
    gate = asyncio.Event()
    async with FakeTelegram() as telegram, FakeOpenAI() as model:
        write(config, telegram, model)
        model.say("endless", gate)
        async with serving(config, telegram, model) as process:
            await until_polled(telegram)
            ann = telegram.user(42, "Ann")
            ann.writes("tell me")
            await until_seen(ann, "endless")
            process.terminate()
            await until_logged(process, "gateway.draining")
            process.terminate()
            result = await ended(process)
        gate.set()
    assert result.code == 128 + signal.SIGTERM
    assert "gateway.aborted" in result.err
