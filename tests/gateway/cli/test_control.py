import asyncio
import socket
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.control import NothingRuns, ask
from gateway.control.server import control_socket
from gateway.errors import Refused


async def echo(args: Mapping[str, Any]) -> Any:
    return {"said": args["words"]}


async def refuse(_: Mapping[str, Any]) -> Any:
    raise Refused("That code is wrong.")


async def test_the_running_process_answers(tmp_path: Path) -> None:
    async with control_socket(tmp_path / "parley.sock", {"echo": echo, "refuse": refuse}):
        words = "x" * 20_000
        assert await asyncio.to_thread(ask, tmp_path, "echo", words=words) == {"said": words}
        with pytest.raises(Refused, match="That code is wrong"):
            await asyncio.to_thread(ask, tmp_path, "refuse")
        with pytest.raises(Refused, match="does not know"):
            await asyncio.to_thread(ask, tmp_path, "unheard.of")


async def test_it_answers_however_long_its_path(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 90) / ("y" * 90)
    folder.mkdir(parents=True)
    with pytest.raises(NothingRuns):
        ask(folder, "echo", words="hi")
    async with control_socket(folder / "parley.sock", {"echo": echo}):
        assert await asyncio.to_thread(ask, folder, "echo", words="hi") == {"said": "hi"}
    with pytest.raises(NothingRuns):
        ask(folder, "echo", words="hi")
    with pytest.raises(NothingRuns):
        ask(folder / "gone", "echo", words="hi")


async def test_a_process_that_is_gone_is_none(tmp_path: Path) -> None:
    with pytest.raises(NothingRuns):
        ask(tmp_path, "status")
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(tmp_path / "parley.sock"))
    with pytest.raises(NothingRuns):
        ask(tmp_path, "status")


def test_a_process_that_hangs_up_is_reported(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "parley.sock"))
        server.listen()

        def hang_up() -> None:
            server.accept()[0].close()

        silent = threading.Thread(target=hang_up)
        silent.start()
        with pytest.raises(Refused, match="does not answer"):
            ask(tmp_path, "status")
        silent.join()
