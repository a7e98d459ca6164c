"""What a person setting up an app prints."""

import json

import yaml
from click.testing import CliRunner

from adapters.slack.manifest import manifest
from gateway.cli.main import main


def printed(*options: str) -> str:
    result = CliRunner().invoke(main, ["slack", "manifest", *options])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_manifest_is_for_socket_mode_and_named_by_default() -> None:
    expected = manifest("Parley", mode="socket", command="/parley")
    assert yaml.safe_load(printed()) == expected


def test_an_address_makes_it_one_for_http() -> None:
    url = "https://bot.example.org/slack/events"
    told = json.loads(printed("--name", "Ada", "--command", "/ada", "--request-url", url, "--json"))
    assert told == manifest("Ada", mode="http", command="/ada", request_url=url)
    assert told["settings"]["socket_mode_enabled"] is False


def test_a_command_that_slack_would_not_take_is_refused() -> None:
    result = CliRunner().invoke(main, ["slack", "manifest", "--command", "ask"])
    assert result.exit_code == 2
    assert "must look like /parley" in result.stderr


def test_the_command_line_lists_the_platforms_own_commands() -> None:
    assert "  slack " in CliRunner().invoke(main, ["--help"]).stdout
