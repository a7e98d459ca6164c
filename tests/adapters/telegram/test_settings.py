"""Settings say what is wrong, and never what the secret was."""

from typing import Any

import pytest
from pydantic import ValidationError

from adapters.telegram.settings import TelegramSettings

TOKEN = "123456:ABC-def_GHI"


def made(**fields: Any) -> TelegramSettings:
    return TelegramSettings.model_validate({"token": TOKEN, **fields})


def test_a_token_is_enough() -> None:
    settings = made()
    assert settings.api_base == "https://api.telegram.org"
    assert settings.mode == "polling"
    assert not settings.link_previews
    assert TOKEN not in repr(settings)
    assert settings.environment == {"token": "TELEGRAM_BOT_TOKEN"}


@pytest.mark.parametrize("token", ["", "XYZ", "987654:", ":XYZ", "9:a b", "9:a/../b", "9:é"])
def test_a_token_of_another_form_is_refused_without_being_shown(token: str) -> None:
    with pytest.raises(ValidationError, match="@BotFather") as raised:
        made(token=token)
    assert not token or token not in str(raised.value)


def test_addresses_lose_their_last_slash() -> None:
    assert made(api_base="http://127.0.0.1:8081/").api_base == "http://127.0.0.1:8081"


@pytest.mark.parametrize("address", ["api.telegram.org", "ftp://x", "https://", "http://x?a=b"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValidationError, match="must be an address"):
        made(api_base=address)


@pytest.mark.parametrize(
    "fields",
    [
        {"tokn": "x"},
        {"poll_timeout": 51},
        {"mode": "webhook"},
        {"mode": "carrier pigeon"},
        {"webhook": {}},
        {"webhook": {"url": "https://e.org", "port": 70_000}},
        {"webhook": {"url": "https://e.org", "path": "no-slash"}},
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        made(**fields)


@pytest.mark.parametrize("secret", ["", " ", "a b", "x" * 257])
def test_t53_a_blank_or_odd_secret_is_an_error_not_an_open_door(secret: str) -> None:
    with pytest.raises(ValidationError, match="leave it out"):
        made(mode="webhook", webhook={"url": "https://e.org/x", "secret": secret})
