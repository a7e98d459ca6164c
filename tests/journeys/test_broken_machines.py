"""Wrong settings and failing disks: one clear line, the right exit code, and nothing is lost."""

import asyncio
import resource
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gateway.clock import SystemClock
from gateway.errors import StoreFailed
from tests.fakes.command import Ended, environment
from tests.journeys.on_telegram import Telegram
from tests.journeys.platform import PATIENCE
from tests.journeys.world import World


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


def last_words(ended: Ended) -> str:
    """Return the one line that is no log."""
    (line,) = [line for line in ended.err.splitlines() if not line.startswith("{")]
    assert line.startswith("parley: ")
    assert "Traceback" not in ended.err
    return line


@pytest.fixture
async def waiting(world: World, telegram: Telegram) -> str:
    """Have somebody write before anything runs."""
    assert not world.data.exists()
    telegram.person("Ann").writes("first of all")
    return "first of all"


async def is_answered(world: World, telegram: Telegram, words: str) -> None:
    await world.start()
    await telegram.server.until(lambda it: words in it.chats[42].bot_texts(), timeout=PATIENCE)


async def test_bad_settings(world: World, telegram: Telegram, waiting: str) -> None:
    world.agent["provider"] = "opnai"
    ended = await world.parley("serve")
    assert ended.code == 2
    assert last_words(ended) == (
        "parley: agents.main.provider: there is no provider `opnai`; did you mean `openai`?"
    )
    world.agent["provider"] = "openai"
    await is_answered(world, telegram, waiting)


async def test_a_bad_token(world: World, telegram: Telegram, waiting: str) -> None:
    world.config["adapters"]["telegram"]["token"] = "123456:wrong-token"
    ended = await world.parley("serve")
    assert ended.code == 4
    assert "Telegram refuses the bot's token" in last_words(ended)
    assert "wrong-token" not in ended.err
    world.config["adapters"]["telegram"]["token"] = telegram.server.token
    await is_answered(world, telegram, waiting)


async def test_a_port_in_use(world: World, telegram: Telegram, waiting: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        entry = world.config["adapters"]["telegram"]
        hook = {"url": f"http://127.0.0.1:{port}/hook", "port": port}
        world.config["adapters"]["telegram"] = {**entry, "mode": "webhook", "webhook": hook}
        ended = await world.parley("serve")
    assert ended.code == 4
    line = last_words(ended)
    assert f"cannot listen on 127.0.0.1:{port}" in line
    assert "adapters.telegram.webhook.port" in line
    await is_answered(world, telegram, waiting)


@pytest.mark.parametrize("place", ["file/data", "/proc/parley"])
async def test_a_directory_that_cannot_be_written_to(
    world: World, telegram: Telegram, waiting: str, place: str
) -> None:
    (world.folder / "file").write_text("")
    world.config["data_dir"] = place
    ended = await world.parley("serve")
    assert ended.code == 3
    line = last_words(ended)
    assert line.startswith("parley: cannot make the data directory")
    assert "data_dir" in line
    world.config["data_dir"] = str(world.data)
    assert waiting in [message.text for message in telegram.server.chats[42].shown()]


async def test_a_damaged_database_and_its_backup(
    world: World, telegram: Telegram, waiting: str
) -> None:
    await world.start()
    ann = telegram.person("Ann again")
    await ann.asks("Remember the milk", "Remember the milk")
    await world.stop()
    database = world.data / "parley.db"
    backup = world.folder / "backup.db"
    shutil.copy(database, backup)
    database.write_bytes(b"\xff" * database.stat().st_size)
    ended = await world.parley("serve")
    assert ended.code == 3
    assert "restore a backup" in last_words(ended)
    with pytest.raises(StoreFailed):
        await world.start()
    ann.writes("Are you well?")
    shutil.copy(backup, database)
    await world.start()
    await ann.reads("Are you well?")
    assert "Remember the milk" in world.model.asked[-1].prompt
    assert waiting in telegram.server.chats[42].bot_texts()


async def served(world: World, *python: str, module: str = "gateway", **extra: str) -> Ended:
    """Serve until it ends by itself, in a process begun in another way than usual."""
    config = str(world.write_config())
    process = await asyncio.create_subprocess_exec(
        *(*python, "-m", module, "serve", "--config", config),
        cwd=world.folder,
        env=environment(**extra),
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE):
        _, err = await process.communicate()
    return Ended(process.returncode or 0, "", err.decode())


async def test_a_disk_that_is_full_at_the_start(
    world: World, telegram: Telegram, waiting: str
) -> None:
    ended = await served(world, "sh", "-c", 'ulimit -f 0; exec "$@"', "sh", sys.executable)
    assert ended.code == 3
    assert "free space" in last_words(ended)
    await is_answered(world, telegram, waiting)


@contextmanager
def full_disk(pid: int) -> Iterator[None]:
    """Let a process write to no file, as on a disk without room."""
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


async def test_r1_a_full_disk_delays_questions_and_answers_and_loses_none(
    world: World, telegram: Telegram
) -> None:
    gate = asyncio.Event()
    world.model.brain = lambda asked: (
        ["Half ", gate, "a word."] if asked.user_text == "hello" else asked.user_text
    )
    async with world.process() as process:
        ann, bob = telegram.person("Ann"), telegram.person("Bob")
        ann.writes("hello")
        await ann.until(lambda: ann.preview() == "Half")
        with full_disk(process.pid):
            bob.writes("and me?")
            gate.set()
            await until_troubled(world)
            assert telegram.server.updates.pending
            assert "cannot be kept now" in (await world.parley("status")).out
        await ann.reads("Half a word.")
        await bob.reads("and me?")
        await ann.asks("after", "after")
        assert process.returncode is None
    assert ann.texts() == ["Half a word.", "after"]
    assert bob.texts() == ["and me?"]
    world.refusals.add("message is not modified")  # said again, as it could not be noted


async def test_r1_a_disk_that_becomes_read_only_delays_questions_and_answers_and_loses_none(
    world: World, telegram: Telegram
) -> None:
    gate = asyncio.Event()
    world.model.brain = lambda asked: (
        ["Half ", gate, "a word."] if asked.user_text == "hello" else asked.user_text
    )
    sign = world.folder / "read-only"
    disk = {"READ_ONLY": str(world.data), "READ_ONLY_WHILE": str(sign)}
    async with world.process("tests.fakes.read_only_disk", **disk) as process:
        ann, bob = telegram.person("Ann"), telegram.person("Bob")
        ann.writes("hello")
        await ann.until(lambda: ann.preview() == "Half")
        sign.touch()
        bob.writes("and me?")
        gate.set()
        await until_troubled(world)
        assert telegram.server.updates.pending
        assert "cannot be kept now" in (await world.parley("status")).out
        assert "the disk reports an error" in (world.folder / "log").read_text()
        assert bob.texts() == []
        sign.unlink()
        await ann.reads("Half a word.")
        await bob.reads("and me?")
        await ann.asks("after", "after")
        assert process.returncode is None
    assert ann.texts() == ["Half a word.", "after"]
    assert bob.texts() == ["and me?"]
    world.refusals.add("message is not modified")  # said again, as it could not be noted


async def test_r1_a_disk_that_stays_read_only_until_the_restart_loses_nothing(
    world: World, telegram: Telegram
) -> None:
    sign = world.folder / "read-only"
    disk = {"READ_ONLY": str(world.data), "READ_ONLY_WHILE": str(sign)}
    async with world.process("tests.fakes.read_only_disk", **disk) as process:
        ann, bob = telegram.person("Ann"), telegram.person("Bob")
        await ann.asks("hello", "hello")
        sign.touch()
        bob.writes("and me?")
        await until_troubled(world)
        assert telegram.server.updates.pending
        process.kill()
        await process.wait()
    ended = await served(world, sys.executable, module="tests.fakes.read_only_disk", **disk)
    assert ended.code == 3
    assert "Read-only file system" in last_words(ended)
    assert "by data_dir or store.url" in last_words(ended)
    sign.unlink()
    async with world.process():
        await bob.reads("and me?")
        await ann.asks("after", "after")
    assert ann.texts() == ["hello", "after"]
    assert bob.texts() == ["and me?"]
    world.refusals.add("message is not modified")  # said again, as it could not be noted


async def until_troubled(world: World) -> None:
    async with asyncio.timeout(PATIENCE):
        while (await world.status())["adapters"][0]["state"] != "troubled":
            await asyncio.sleep(0.05)


async def test_a_token_that_is_revoked_ends_it_with_a_reason(
    world: World, telegram: Telegram
) -> None:
    async with world.process() as process:
        ann = telegram.person("Ann")
        await ann.asks("hello", "hello")
        telegram.server.token = "123456:ANOTHER"
        ann.writes("wakes the poll")
        assert await asyncio.wait_for(process.wait(), PATIENCE) == 4
        said = (world.folder / "log").read_text().splitlines()[-1]
    assert said.startswith("parley: no account is left to serve (telegram: Telegram refuses")
    world.pardoned.add("adapter.stopped")


async def test_one_accounts_bad_token_stops_no_other(world: World, telegram: Telegram) -> None:
    entry = {**telegram.entry, "platform": "telegram", "token": "99:wrong-token"}
    world.config["adapters"]["second"] = entry
    await world.start()
    ann = telegram.person("Ann")
    await ann.asks("hello", "hello")
    states = {one["account"]: one["state"] for one in (await world.status())["adapters"]}
    assert states == {"telegram": "running", "second": "stopped"}
    world.pardoned.add("adapter.stopped")
