"""The two bots under measurement, each in a process of its own."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from tests.fakes.openai import FakeOpenAI
from tests.fakes.telegram import FakeTelegram

ROOT = Path(__file__).parent.parent
MODEL = "test-model"
_TICKS = os.sysconf("SC_CLK_TCK")

_CONFIG = """\
data_dir: {folder}
agents:
  main: {{provider: openai, model: {model}, base_url: "{model_url}", api_key: "{key}"}}
adapters:
  telegram: {{token: "{token}", api_base: "{telegram_url}"}}
access: {{direct_messages: open}}
rate_limits: {{guest: null}}
log: {{level: warning}}
"""


@dataclass(frozen=True, slots=True)
class World:
    """The servers that a bot talks to, in the measuring process."""

    telegram: FakeTelegram
    model: FakeOpenAI


@dataclass(frozen=True, slots=True)
class Running:
    """A bot's process, as the system sees it."""

    pid: int

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident_mb(self) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def command(subject: str, world: World, folder: Path) -> tuple[list[str], dict[str, str]]:
    """Return how to start a bot, and what to add to its environment."""
    if subject == "floor":
        return [sys.executable, "-m", "bench.floor"], {
            "TELEGRAM_API_BASE": world.telegram.url,
            "TELEGRAM_BOT_TOKEN": world.telegram.token,
            "OPENAI_BASE_URL": world.model.base_url,
            "OPENAI_API_KEY": world.model.key,
            "MODEL": MODEL,
        }
    config = folder / "parley.yaml"
    config.write_text(
        _CONFIG.format(
            folder=folder / "data",
            model=MODEL,
            model_url=world.model.base_url,
            key=world.model.key,
            token=world.telegram.token,
            telegram_url=world.telegram.url,
        )
    )
    return [sys.executable, "-m", "gateway", "serve", "--config", str(config)], {}


@asynccontextmanager
async def running(subject: str, world: World, folder: Path) -> AsyncIterator[tuple[Running, float]]:
    """Run a bot while the body does; give it and the seconds until its first poll."""
    arguments, environment = command(subject, world, folder)
    clean = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    begun = perf_counter()
    polls = world.telegram.updates.polls
    process = await asyncio.create_subprocess_exec(
        *arguments, cwd=ROOT, env=clean | environment, stderr=(folder / "log").open("w")
    )
    try:
        await world.telegram.watch.until(
            lambda: world.telegram.updates.polls > polls, timeout=30.0, now=lambda: "no poll yet"
        )
        yield Running(process.pid), perf_counter() - begun
    except BaseException:
        print(f"{subject}, last words:\n{(folder / 'log').read_text()[-2_000:]}")
        raise
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), 45)
        except TimeoutError:
            process.kill()
            await process.wait()
