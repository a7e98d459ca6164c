"""Everything a journey takes place in: a platform, a model's server, and the real gateway.

    await world.start()
    ann = world.person("Ann")
    world.model.say("Hello Ann")
    await ann.asks("hi", "Hello Ann")

The gateway runs in this process, or in one of its own that can be killed (`process`); both
read the file that `world.config` is written to, and keep what they keep in `world.data`.
"""

import asyncio
import io
import json
import logging
import signal
import stat
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self

import structlog
import yaml
from typing_extensions import override

from gateway.app import run_gateway
from gateway.cli.control import ask
from gateway.clock import Clock
from gateway.config import load_settings
from gateway.logs import configure_logs
from tests.fakes.anthropic import FakeAnthropic
from tests.fakes.command import Ended, environment, parley
from tests.fakes.openai import FakeOpenAI
from tests.fakes.watch import Watch
from tests.journeys.platform import PATIENCE, Person, Platform

MODEL = "test-model"
_TELLING = 8
"""Characters from which words are found in a log for no other reason than that they were said."""
_MODELS: dict[str, type[FakeOpenAI | FakeAnthropic]] = {
    "openai": FakeOpenAI,
    "anthropic": FakeAnthropic,
}
_ROOT = Path(__file__).parent.parent.parent


class _Log(io.StringIO):
    """Wakes who waits for a line; lines may come from any thread."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch
        self._loop = asyncio.get_running_loop()

    @override
    def write(self, text: str) -> int:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._watch.changed)
        return super().write(text)


class World:
    """One gateway's surroundings, and its comings and goings."""

    def __init__(
        self, folder: Path, platform: Platform, clock: Clock, *, provider: str = "openai"
    ) -> None:
        self.folder = folder
        self.platform = platform
        self.platforms = [platform]
        """All that the gateway serves."""
        self.clock = clock
        self.model = _MODELS[provider](clock=clock)
        self.data = folder / "data"
        self.config: dict[str, Any] = {}
        self.agent: dict[str, Any] = {"provider": provider, "model": MODEL}
        self.pardoned: set[str] = set()
        """Events in the log that this journey means to cause, though they tell of errors."""
        self.refusals: set[str] = set()
        """What the platform is meant to refuse in this journey; parts of its words."""
        self._watch = Watch()
        self._stack = AsyncExitStack()
        self._serving: asyncio.Task[None] | None = None
        self._until = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.model)
        self.log = _Log(self._watch)
        self.agent |= {"base_url": self.model.base_url, "api_key": self.model.key}
        self.config = {
            "data_dir": str(self.data),
            "agents": {"main": self.agent},
            "adapters": {self.platform.name: self.platform.entry},
            "access": {
                "direct_messages": "open",
                "groups": "open",
                "owners": [self.platform.owner],
            },
            # A clock that runs fast makes everybody write fast.
            "rate_limits": {"guest": None, "member": None, "place": None},
            "log": {"level": "debug", "format": "json"},
        }
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._serving is not None:
            self._until.set()
            await asyncio.wait([self._serving])
        await self._stack.aclose()
        structlog.reset_defaults()
        structlog.contextvars.clear_contextvars()
        logging.captureWarnings(capture=False)

    def add(self, platform: Platform) -> None:
        """Have the gateway serve another platform, too, from its next start on."""
        self.platforms.append(platform)
        self.config["adapters"][platform.name] = platform.entry

    def person(self, name: str = "Ann") -> Person:
        return self.platform.person(name)

    # The gateway in this process.

    async def start(self) -> None:
        """Start it and return once it receives; raise what keeps it from starting."""
        loaded = load_settings(self.write_config(), {})
        configure_logs(loaded.settings.log, loaded.secrets, self.log)
        self._until, ready = asyncio.Event(), asyncio.Event()
        for platform in self.platforms:
            platform.before_start()
        self._serving = asyncio.create_task(
            run_gateway(loaded.settings, until=self._until, clock=self.clock, on_ready=ready.set)
        )
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({waiting, self._serving}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._serving.done():
            self._serving.result()
        for platform in self.platforms:
            await platform.connected()

    async def stop(self) -> None:
        """End it as SIGTERM would; whatever it had in work is then done, or kept."""
        self._until.set()
        await self.ended()

    async def ended(self) -> None:
        """Wait until it ends by itself; raise what ended it."""
        assert self._serving is not None
        serving, self._serving = self._serving, None
        async with asyncio.timeout(PATIENCE):
            await serving

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    # The gateway in a process of its own.

    @asynccontextmanager
    async def process(
        self, module: str = "gateway", **extra: str
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        """Serve from another process while the body runs, or until it is killed."""
        config = self.write_config()
        for platform in self.platforms:
            platform.before_start()
        with (self.folder / "log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", module, "serve", "--config", str(config)),
                cwd=_ROOT,
                env=environment(**extra),
                stdin=asyncio.subprocess.DEVNULL,
                stderr=log,
            )
        try:
            await self._connected(process)
            yield process
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
                async with asyncio.timeout(PATIENCE):
                    await process.wait()
            self.log.write((self.folder / "log").read_text())
            (self.folder / "log").unlink()

    async def _connected(self, process: asyncio.subprocess.Process) -> None:
        """Return once it receives on every platform, or has ended before."""
        ends = asyncio.create_task(process.wait())
        for platform in self.platforms:
            connects = asyncio.create_task(platform.connected())
            await asyncio.wait({connects, ends}, return_when=asyncio.FIRST_COMPLETED)
            if not connects.done():
                connects.cancel()
                return
            connects.result()
        ends.cancel()

    async def parley(self, *arguments: str, **extra: str) -> Ended:
        """Run the command on this gateway's settings."""
        config = str(self.write_config())
        return await parley(*arguments, "--config", config, cwd=self.folder, **extra)

    async def status(self) -> Mapping[str, Any]:
        """Ask the running gateway how it is."""
        answer: Mapping[str, Any] = await asyncio.to_thread(ask, self.data, "status")
        return answer

    async def until_waiting(self, messages: int) -> None:
        """Wait until so many messages are in work or wait for it."""
        async with asyncio.timeout(PATIENCE):
            while (await self.status())["waiting"] != messages:
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await self._watch.next()

    def write_config(self) -> Path:
        path = self.folder / "parley.yaml"
        path.write_text(yaml.safe_dump(self.config, sort_keys=False))
        path.chmod(stat.S_IRUSR | stat.S_IWUSR)
        return path

    # What it logged.

    def logged(self, event: str) -> list[dict[str, Any]]:
        lines = map(json.loads, self.log.getvalue().splitlines())
        return [line for line in lines if line.get("event") == event]

    async def until_logged(self, event: str, times: int = 1) -> None:
        await self._watch.until(
            lambda: len(self.logged(event)) >= times,
            timeout=PATIENCE,
            now=lambda: self.log.getvalue()[-3000:],
        )

    def check(self) -> None:
        """Look for what no journey may leave behind, whatever else it is about."""
        log = self.log.getvalue()
        prompts = "".join(asked.prompt for asked in self.model.asked)
        secrets = [secret for platform in self.platforms for secret in platform.secrets]
        for secret in [self.model.key, *secrets]:
            assert secret not in log, "a secret is in the log"
            assert secret not in prompts, "the model was told a secret"
        for words in [words for platform in self.platforms for words in platform.said()]:
            assert len(words) < _TELLING or words not in log, f"{words!r} is in the log"
        lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
        errors = [
            line
            for line in lines
            if ("exception" in line or line["level"] in {"error", "critical"})
            and line["event"] not in self.pardoned
            and "tests/fakes" not in line.get("exception", "")  # a client left a fake
        ]
        assert not errors, errors
        complaints = [
            one
            for platform in self.platforms
            for one in platform.complaints()
            if not any(words in one for words in self.refusals)
        ]
        assert not complaints, complaints
