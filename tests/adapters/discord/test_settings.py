"""What may stand in a configuration, and what is said of the rest."""

import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.discord.settings import DiscordSettings

TOKEN = "MTA.first.token"


def read(**entry: Any) -> DiscordSettings:
    return DiscordSettings.model_validate({"token": TOKEN, **entry})


def test_a_token_is_all_it_needs() -> None:
    settings = read()
    assert settings.api_base == "https://discord.com/api/v10"
    assert settings.cdn_hosts == ("cdn.discordapp.com", "media.discordapp.net")
    assert settings.message_content
    assert not settings.threads
    assert not settings.link_previews
    assert TOKEN not in repr(settings)


@pytest.mark.parametrize("token", ["Bot MTA.first.token", "MTA", "a.b", "MTA.first.tok en", ""])
def test_what_is_no_token_is_refused_without_showing_it(token: str) -> None:
    with pytest.raises(ValidationError) as raised:
        read(token=token)
    assert "input_value" not in str(raised.value)


@pytest.mark.parametrize(
    "entry",
    [
        {"api_base": "ftp://discord.com"},
        {"api_base": "https://discord.com/api?x=1"},
        {"gateway_url": "https://gateway.discord.gg"},
        {"cdn_hosts": ["https://cdn.discordapp.com/"]},
        {"cdn_hosts": ["*"]},
        {"command_servers": ["my server"]},
        {"catch_up": 0},
        {"tokens": "typo"},
    ],
    ids=str,
)
def test_what_cannot_work_is_refused(entry: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read(**entry)


def test_addresses_end_without_a_slash() -> None:
    assert read(api_base="http://127.0.0.1:1/api/v10/").api_base == "http://127.0.0.1:1/api/v10"
    assert read(gateway_url="ws://127.0.0.1:1/").gateway_url == "ws://127.0.0.1:1"


def test_reading_settings_loads_no_sdk() -> None:
    code = "import sys, adapters.discord.settings; sys.exit('discord.http' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
