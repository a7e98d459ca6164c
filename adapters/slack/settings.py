"""Settings of an app on Slack, apart from the adapter so that reading them loads no SDK."""

import re
from typing import Annotated, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from gateway.settings import AdapterSettings, IdForm, Seconds, Settings


def _check_bot_token(value: SecretStr) -> SecretStr:
    token = value.get_secret_value().strip()
    if token.startswith("xapp-"):
        raise ValueError("this is the app-level token; it belongs under `app_token`")
    if token.startswith("xoxp-"):
        raise ValueError("this is a user's token; the bot's begins with xoxb-")
    if not re.fullmatch(r"xoxb-[\w-]+", token, re.ASCII):
        raise ValueError("must begin with xoxb-, as `OAuth & Permissions` of the app shows it")
    return SecretStr(token)


def _check_app_token(value: SecretStr) -> SecretStr:
    token = value.get_secret_value().strip()
    if token.startswith("xoxb-"):
        raise ValueError("this is the bot's token; it belongs under `bot_token`")
    if not re.fullmatch(r"xapp-[\w-]+", token, re.ASCII):
        raise ValueError("must begin with xapp-; `Basic Information` of the app makes one")
    return SecretStr(token)


def _check_signing_secret(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().strip():
        raise ValueError("must not be blank: without it anybody could pretend to be Slack")
    return value


def _check_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
        raise ValueError("must be an address such as https://slack.com/api/")
    return value.rstrip("/") + "/"


def check_command(value: str) -> str:
    if not re.fullmatch(r"/[a-z0-9_-]{1,31}", value):
        raise ValueError("must look like /parley: a slash, then small letters, digits, - or _")
    return value


BotToken = Annotated[SecretStr, AfterValidator(_check_bot_token)]
AppToken = Annotated[SecretStr, AfterValidator(_check_app_token)]
SigningSecret = Annotated[SecretStr, AfterValidator(_check_signing_secret)]
Address = Annotated[str, AfterValidator(_check_address)]
SlashCommand = Annotated[str, AfterValidator(check_command)]


class HttpSettings(Settings):
    """Where Slack's requests arrive, when `mode` is `http`."""

    listen: str = "127.0.0.1"
    """The address this process listens on; a proxy in front of it ends TLS."""
    port: Annotated[int, Field(ge=0, le=65535)] = 3000
    path: Annotated[str, Field(pattern="^/")] = "/slack/events"
    """One path for events, commands and buttons."""


class SlackSettings(AdapterSettings):
    """One app, installed in one workspace."""

    environment: ClassVar[dict[str, str]] = {
        "bot_token": "SLACK_BOT_TOKEN",
        "app_token": "SLACK_APP_TOKEN",
        "signing_secret": "SLACK_SIGNING_SECRET",
    }
    user_ids: ClassVar[IdForm | None] = IdForm(
        r"[TE][A-Z0-9]+:[UW][A-Z0-9]+", "T0123ABCD:U0456EFGH"
    )
    place_ids: ClassVar[IdForm | None] = IdForm(r"[CG][A-Z0-9]+", "C0123ABCD")

    bot_token: BotToken
    app_token: AppToken | None = None
    """The app-level token with `connections:write`, for `mode: socket`."""
    signing_secret: SigningSecret | None = None
    """What Slack signs its requests with, for `mode: http`."""
    mode: Literal["socket", "http"] = "socket"
    """Open a socket to Slack, which needs no public address, or be called by it."""
    http: HttpSettings = HttpSettings()
    api_base: Address = "https://slack.com/api/"
    app_kind: Literal["auto", "agent", "plain"] = "auto"
    """An agent answers a direct message in a thread under it. `auto` asks Slack: an app with
    the scope `assistant:write` is one."""
    reply_in_thread: bool = True
    """Answer a mention in a channel in a thread under it, each thread with a history of its
    own; else flat in the channel, with one history a channel."""
    follow_threads: bool = True
    """In a thread where the bot was addressed or has answered, further messages need not
    name it."""
    streaming: bool = True
    """Stream answers where Slack can: in threads, and in an agent's direct messages."""
    catch_up: Seconds = 3600.0
    """After a gap, how old a missed message may be to be answered."""
    link_previews: bool = False
    """Let Slack fetch the links of an answer and show what is there. Off, as a link that
    somebody talked the model into would be fetched unseen."""
    command: SlashCommand = "/parley"
    """The slash command, as the app's manifest names it."""

    @model_validator(mode="after")
    def _check_mode(self) -> Self:
        if self.mode == "socket" and self.app_token is None:
            raise ValueError(
                "mode is socket: app_token is missing (the app-level token, xapp-, with the "
                "scope connections:write; also taken from SLACK_APP_TOKEN)"
            )
        if self.mode == "http" and self.signing_secret is None:
            raise ValueError(
                "mode is http: signing_secret is missing (`Basic Information` of the app; also "
                "taken from SLACK_SIGNING_SECRET)"
            )
        return self
