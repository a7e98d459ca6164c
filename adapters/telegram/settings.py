"""Settings of a bot on Telegram, apart from the adapter so that reading them loads no SDK."""

import re
from typing import Annotated, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from gateway.settings import AdapterSettings, IdForm, Seconds, Settings


def _check_token(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"\d+:[\w-]+", value.get_secret_value(), re.ASCII):
        raise ValueError("must look like 123456:ABC-def, as @BotFather gave it")
    return value


def _check_secret(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[\w-]{1,256}", value.get_secret_value(), re.ASCII):
        raise ValueError("must be 1 to 256 of A-Z a-z 0-9 _ and -; leave it out to have one made")
    return value


def _check_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
        raise ValueError("must be an address such as https://api.telegram.org")
    return value.rstrip("/")


Token = Annotated[SecretStr, AfterValidator(_check_token)]
WebhookSecret = Annotated[SecretStr, AfterValidator(_check_secret)]
Address = Annotated[str, AfterValidator(_check_address)]


class WebhookSettings(Settings):
    """Where Telegram posts updates, when `mode` is `webhook`."""

    url: Address
    """The public address that is registered, path included; Telegram asks for https."""
    listen: str = "127.0.0.1"
    """The address this process listens on; a proxy in front of it ends TLS."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8443
    path: Annotated[str, Field(pattern="^/")] | None = None
    """The path this process answers; null means that of `url`."""
    secret: WebhookSecret | None = None
    """Sent by Telegram with each update and compared before anything is read; null means a
    new one at each start."""


class TelegramSettings(AdapterSettings):
    """One bot, made with @BotFather."""

    environment: ClassVar[dict[str, str]] = {"token": "TELEGRAM_BOT_TOKEN"}
    user_ids: ClassVar[IdForm | None] = IdForm(r"-?\d+", "123456789")
    place_ids: ClassVar[IdForm | None] = IdForm(r"-\d+", "-1001234567890")

    token: Token
    api_base: Address = "https://api.telegram.org"
    """Requests go to `{api_base}/bot<token>/<method>`, files come from
    `{api_base}/file/bot<token>/<path>`. A Bot API server of your own has another address."""
    local: bool = False
    """`api_base` is a Bot API server with `--local` that shares this machine's files: uploads
    up to 2000 MB, downloads of any size."""
    mode: Literal["polling", "webhook"] = "polling"
    """Ask for updates, which works everywhere, or be told by `webhook`."""
    webhook: WebhookSettings | None = None
    poll_timeout: Annotated[Seconds, Field(le=50)] = 50.0
    """How long Telegram holds a request for updates open when there are none."""
    link_previews: bool = False
    """Let Telegram fetch the first link of an answer and show what is there. Off, as a link
    that somebody talked the model into would be fetched unseen."""

    @model_validator(mode="after")
    def _check_mode(self) -> Self:
        if self.mode == "webhook" and self.webhook is None:
            raise ValueError("mode is webhook: name its address under webhook.url")
        return self
