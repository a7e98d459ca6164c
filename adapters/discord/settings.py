"""Settings of a bot on Discord, apart from the adapter so that reading them loads no SDK."""

import re
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from gateway.settings import AdapterSettings, IdForm, Seconds


def _check_token(value: SecretStr) -> SecretStr:
    token = value.get_secret_value().strip()
    if token.lower().startswith("bot "):
        raise ValueError('must be the token alone, without the word "Bot" before it')
    if not re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", token, re.ASCII):
        raise ValueError("must be three parts with dots between, as the page `Bot` shows it once")
    return SecretStr(token)


def _address(*schemes: str) -> AfterValidator:
    def check(value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in schemes or not parts.hostname or parts.query:
            raise ValueError(f"must be an address that begins with {schemes[-1]}://")
        return value.rstrip("/")

    return AfterValidator(check)


def _check_host(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.-]+", value):
        raise ValueError("must be the name of a host, such as cdn.discordapp.com")
    return value.lower()


Token = Annotated[SecretStr, AfterValidator(_check_token)]
Host = Annotated[str, AfterValidator(_check_host)]
ServerId = Annotated[str, Field(pattern=r"^\d+$")]


class DiscordSettings(AdapterSettings):
    """One bot, made in Discord's Developer Portal."""

    environment: ClassVar[dict[str, str]] = {"token": "DISCORD_BOT_TOKEN"}
    user_ids: ClassVar[IdForm | None] = IdForm(r"\d+", "123456789012345678")
    place_ids: ClassVar[IdForm | None] = IdForm(r"\d+", "123456789012345678")

    token: Token
    threads: bool = False
    """Answer a mention in a channel in a thread made from it, each with a history of its own;
    else in the channel, which has one history."""
    message_content: bool = True
    """Ask for the Message Content Intent, which the Developer Portal must allow. Without it,
    only direct messages, mentions and answers to the bot can be read."""
    catch_up: Seconds = 3600.0
    """After a gap, how old a missed message may be to be answered."""
    commands: bool = True
    """Publish slash commands."""
    command_servers: tuple[ServerId, ...] = ()
    """Ids of the servers to publish them to, where they appear at once; none means everywhere,
    direct messages included."""
    link_previews: bool = False
    """Let Discord fetch the links of an answer and show what is there. Off, as a link that
    somebody talked the model into would be fetched unseen."""
    api_base: Annotated[str, _address("http", "https")] = "https://discord.com/api/v10"
    gateway_url: Annotated[str, _address("ws", "wss")] | None = None
    """Where events come from; null means Discord's own."""
    cdn_hosts: tuple[Host, ...] = ("cdn.discordapp.com", "media.discordapp.net")
    """Files that people send are fetched from these hosts and no others."""
