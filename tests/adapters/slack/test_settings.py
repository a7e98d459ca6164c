"""Settings say what is wrong, and never what the secret was."""

from typing import Any

import pytest
from pydantic import ValidationError

from adapters.slack.settings import SlackSettings

BOT = "xoxb-1111-2222-abcDEF"
APP = "xapp-1-A0-3333-fedCBA"


def made(**fields: Any) -> SlackSettings:
    return SlackSettings.model_validate({"bot_token": BOT, "app_token": APP, **fields})


def test_two_tokens_are_enough() -> None:
    settings = made()
    assert settings.mode == "socket"
    assert settings.api_base == "https://slack.com/api/"
    assert settings.command == "/parley"
    assert settings.catch_up == 3600
    assert (settings.reply_in_thread, settings.follow_threads, settings.streaming) == (True,) * 3
    assert not settings.link_previews
    assert not settings.reactions
    assert BOT not in repr(settings)
    assert APP not in repr(settings)
    assert settings.environment["bot_token"] == "SLACK_BOT_TOKEN"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"bot_token": APP}, "belongs under `app_token`"),
        ({"bot_token": "xoxp-1-2"}, "a user's token"),
        ({"bot_token": "secret stuff"}, "must begin with xoxb-"),
        ({"app_token": BOT}, "belongs under `bot_token`"),
        ({"app_token": "nonsense"}, "must begin with xapp-"),
        ({"app_token": None}, "mode is socket: app_token is missing"),
        ({"mode": "http"}, "mode is http: signing_secret is missing"),
        ({"mode": "http", "signing_secret": " "}, "must not be blank"),
        ({"api_base": "slack.com"}, "must be an address"),
        ({"command": "parley"}, "must look like /parley"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_what_is_wrong_is_said_in_plain_words(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words) as raised:
        made(**fields)
    told = str(raised.value)
    assert all(str(one) not in told for one in (BOT, APP, "secret stuff", "nonsense"))


def test_signed_requests_need_no_app_token() -> None:
    settings = made(app_token=None, mode="http", signing_secret="8f742231b10e")
    assert (settings.http.listen, settings.http.port) == ("127.0.0.1", 3000)
    assert settings.http.path == "/slack/events"


def test_an_address_ends_as_the_sdk_wants_it() -> None:
    assert made(api_base="http://127.0.0.1:8081/api").api_base == "http://127.0.0.1:8081/api/"


def test_a_token_may_be_copied_with_the_line_it_stood_in() -> None:
    assert made(bot_token=f" {BOT}\n").bot_token.get_secret_value() == BOT
