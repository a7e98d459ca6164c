"""The manifest asks for what the code uses, and for nothing else."""

import json
import re
from pathlib import Path

import pytest
import yaml

from adapters.slack.identity import AGENT_SCOPE
from adapters.slack.manifest import EVENTS, SCOPES, as_json, as_yaml, manifest
from tests.fakes.slack.arguments import METHODS

SOURCES = "\n".join(
    path.read_text() for path in Path(__file__).parents[3].glob("adapters/slack/*.py")
)
OF_THE_APP = "apps.connections.open"
"""Called with the token of the app, whose scope is chosen where the token is made."""
CALLED = {one for one in METHODS if f'"{one}"' in SOURCES and one != OF_THE_APP}
OF_EVENTS = {
    "app_mentions:read",  # app_mention
    "commands",  # the slash command
    "files:read",  # file_shared
    "channels:history", "groups:history", "im:history", "mpim:history",  # message.*
    "channels:read", "groups:read", "im:read", "mpim:read",  # users.conversations
    AGENT_SCOPE,  # agent_session_stopped, and being an agent at all
}  # fmt: skip


def test_every_scope_is_used_and_every_method_may_be_called() -> None:
    needed = [METHODS[method].scopes for method in CALLED]
    assert all(not scopes or SCOPES & set(scopes) for scopes in needed)
    used = {scope for scopes in needed for scope in scopes} | OF_EVENTS
    assert used >= SCOPES


def test_every_event_is_read() -> None:
    for event in EVENTS:
        assert f'"{event.partition(".")[0]}"' in SOURCES.replace(repr(EVENTS), "")


def test_an_app_for_socket_mode_needs_no_address() -> None:
    described = manifest("Parley", mode="socket", command="/parley")
    assert described["settings"]["socket_mode_enabled"]
    assert "request_url" not in as_json(described)
    assert described["features"]["slash_commands"][0]["command"] == "/parley"
    assert described["features"]["app_home"]["messages_tab_enabled"]
    assert not described["features"]["app_home"]["messages_tab_read_only_enabled"]
    assert set(described["oauth_config"]["scopes"]["bot"]) == SCOPES


def test_an_app_for_http_is_called_at_one_address() -> None:
    url = "https://bot.example.org/slack/events"
    described = manifest("Parley", mode="http", command="/ask", request_url=url)
    assert not described["settings"]["socket_mode_enabled"]
    assert len(re.findall(re.escape(url), as_json(described))) == 3
    with pytest.raises(ValueError, match="public address"):
        manifest("Parley", mode="http", command="/ask")


def test_both_writings_say_the_same() -> None:
    described = manifest("Parley " * 20, mode="socket", command="/parley")
    assert json.loads(as_json(described)) == yaml.safe_load(as_yaml(described)) == described
    assert len(described["display_information"]["name"]) <= 35
