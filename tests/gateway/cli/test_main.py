import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from typing_extensions import override

from gateway.cli.main import _Parley, main
from gateway.cli.options import load, with_config
from gateway.errors import (
    AccountRejected,
    ConfigInvalid,
    GatewayError,
    Refused,
    StoreFailed,
)


class Failing(_Parley):
    """Knows one command, which fails."""

    def __init__(self, error: Exception) -> None:
        super().__init__("parley")
        self._error = error

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        @click.command()
        @with_config
        def fail(config: Path | None) -> None:
            load(config)
            raise self._error

        return fail


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (Refused("no"), 1, "parley: no\n"),
        (ConfigInvalid("a.b", "must be set"), 2, "parley: a.b: must be set\n"),
        (ConfigInvalid("", "a: wrong\nb: wrong"), 2, "parley: a: wrong\nparley: b: wrong\n"),
        (StoreFailed("the disk is read-only"), 3, "parley: the disk is read-only\n"),
        (AccountRejected("bad token"), 4, "parley: bad token\n"),
        (
            ExceptionGroup("x", [OSError(1, "y"), ExceptionGroup("z", [StoreFailed("deep")])]),
            3,
            "parley: deep\n",
        ),
        (
            ZeroDivisionError("oops"),
            1,
            (
                "parley: ZeroDivisionError: oops\n"
                "parley: this is a bug; --debug shows where it happened\n"
            ),
        ),
    ],
)
def test_an_error_is_one_line_and_a_code(error: Exception, code: int, words: str) -> None:
    result = CliRunner().invoke(Failing(error), ["any"])
    assert result.exit_code == code
    assert result.stderr == words
    assert result.stdout == ""


def test_debug_shows_where_it_happened() -> None:
    result = CliRunner().invoke(Failing(StoreFailed("corrupt")), ["any", "--debug"])
    assert result.exit_code == 3
    assert result.stderr.startswith("Traceback")
    assert "test_main.py" in result.stderr


@pytest.mark.parametrize("options", [[], ["--debug"]])
def test_t45_an_error_shows_no_secret(options: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "canary value")
    error = ZeroDivisionError("with canary value and sk-0123456789abcdefghij\x1b[2J")
    result = CliRunner().invoke(Failing(error), ["any", *options])
    assert "ZeroDivisionError: with [hidden] and [hidden]\\x1b[2J" in result.stderr
    assert "canary" not in result.output


def test_a_reader_that_has_seen_enough_is_no_bug() -> None:
    failing = "from tests.gateway.cli.test_main import Failing; Failing(BrokenPipeError(32, ''))()"
    ended = subprocess.run(
        [sys.executable, "-c", failing, "fail"], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", "")


def test_every_error_has_a_code() -> None:
    assert CliRunner().invoke(Failing(GatewayError()), ["any"]).stderr == "parley: GatewayError\n"


def test_help_lists_every_command() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    for name in ("serve", "chat", "check", "doctor", "pair", "status", "version"):
        assert f"  {name} " in result.stdout


@pytest.mark.parametrize("group", ["", "people", "places", "sessions", "dead", "pair", "slack"])
def test_no_line_of_help_is_cut_short(group: str) -> None:
    shown = CliRunner().invoke(main, [*group.split(), "--help"]).stdout
    _, listed = shown.split("Commands:")
    assert "..." not in listed


def test_an_unknown_command_is_refused() -> None:
    result = CliRunner().invoke(main, ["serv"])
    assert result.exit_code == 2
    assert "serv" in result.stderr


def test_the_package_is_the_command() -> None:
    run = [sys.executable, "-m", "gateway", "version"]
    result = subprocess.run(run, capture_output=True, text=True, check=True)
    assert result.stdout.startswith("parley ")


def test_a_command_loads_no_sdk_and_none_of_the_gateway() -> None:
    program = (
        "import sys; from gateway.cli.main import main;"
        "main(['check'], standalone_mode=False);"
        "print(sorted({'rich', 'sqlalchemy', 'aiohttp', 'telegram', 'openai', 'gateway.app'}"
        " & set(sys.modules)))"
    )
    run = [sys.executable, "-c", program]
    result = subprocess.run(run, capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"
