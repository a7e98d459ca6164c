import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.cli.main import main
from gateway.cli.status import duration
from gateway.control.server import control_socket

STATUS = {
    "uptime_seconds": 7384.2,
    "agents": ["main", "other"],
    "adapters": [
        {"account": "bot", "state": "running", "reason": "", "seconds_since_alive": 2.5},
        {"account": "new", "state": "starting", "reason": "", "seconds_since_alive": None},
    ],
    "models": [
        {
            "model": "big",
            "provider": "openai",
            "agents": ["main", "other"],
            "state": "half_open",
            "calls": 7,
            "failed": 6,
            "seconds_open": 65.0,
        },
        {
            "model": "small",
            "provider": "openai",
            "agents": ["main"],
            "state": "closed",
            "calls": 2,
            "failed": 0,
            "seconds_open": None,
        },
    ],
    "waiting": 3,
}


@asynccontextmanager
async def running(data_dir: Path) -> AsyncIterator[None]:
    async def status(_: Mapping[str, Any]) -> Any:
        return STATUS

    async with control_socket(data_dir / "parley.sock", {"status": status}):
        yield


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_DATA_DIR", str(tmp_path))


async def status(*options: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, main, ["status", *options])


async def test_a_running_gateway_tells_how_it_is(tmp_path: Path) -> None:
    async with running(tmp_path):
        result = await status()
    assert result.stdout.splitlines() == [
        "Up 2 h 3 min; 3 waiting; agents: main, other",
        "account  state     last sign of life  reason",
        "bot      running   2 s ago",
        "new      starting  none yet",
        "model  provider  agents       state                    calls in a minute",
        "big    openai    main, other  half open for 1 min 5 s  7, 6 failed",
        "small  openai    main         closed                   2",
    ]


async def test_scripts_get_json(tmp_path: Path) -> None:
    async with running(tmp_path):
        result = await status("--json")
    assert json.loads(result.stdout) == STATUS


async def test_without_a_gateway_the_code_is_one(tmp_path: Path) -> None:
    result = await status()
    assert (result.exit_code, result.stderr) == (1, f"parley: nothing runs on {tmp_path}\n")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3661, "1 h 1 min"), (90_061, "1 d 1 h")],
)
def test_spans_are_easy_to_read(seconds: float, words: str) -> None:
    assert duration(seconds) == words
