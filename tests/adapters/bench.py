"""One account on each platform, in one form: for what all of them promise alike."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.contents import encode_reference
from adapters.discord.settings import DiscordSettings
from adapters.slack.adapter import SlackAdapter
from adapters.slack.settings import SlackSettings
from adapters.telegram.adapter import TelegramAdapter
from adapters.telegram.settings import TelegramSettings
from gateway.ids import AccountName
from gateway.messages import Address, Attachment, AttachmentKind
from tests.adapters.discord.conftest import at as on_discord
from tests.fakes.account import Account
from tests.fakes.clock import FakeClock
from tests.fakes.discord import FakeDiscord
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_address import at as on_slack
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_address import at as on_telegram

PLATFORMS = ("telegram", "discord", "slack")
FILE = b"0123456789" * 20


@dataclass(frozen=True, slots=True)
class Bench:
    """An adapter that is open and does not receive, its server, and two people."""

    clock: FakeClock
    server: FakeTelegram | FakeDiscord | FakeSlack
    adapter: TelegramAdapter | DiscordAdapter | SlackAdapter
    account: Account
    ann: Address
    bob: Address
    texts: Callable[[], list[str]]
    """What Ann sees of the bot."""
    send: dict[str, Any]
    """The rule of a fault that befalls sending."""
    who_am_i: str
    """Part of the path of the first call there is."""
    file: Attachment
    """Something that Ann has sent."""
    download: str
    """Part of the path at which it is."""


@asynccontextmanager
async def bench(platform: str, folder: Path) -> AsyncIterator[Bench]:
    clock = FakeClock()
    account = Account(clock, folder)
    make = {"telegram": _telegram, "discord": _discord, "slack": _slack}[platform]
    async with make(clock, account) as made:
        await made.adapter.open()
        yield made
        await made.adapter.close()


def _attachment(reference: str) -> Attachment:
    return Attachment(AttachmentKind.FILE, reference, "a.txt", "text/plain", len(FILE))


@asynccontextmanager
async def _telegram(clock: FakeClock, account: Account) -> AsyncIterator[Bench]:
    async with FakeTelegram(clock=clock) as server:
        settings = TelegramSettings.model_validate({"token": server.token, "api_base": server.url})
        ann, bob = server.user(42, "Ann"), server.user(43, "Bob")
        ann.writes("hi")
        bob.writes("hi")
        media = ann.sends_document("a.txt", FILE).media
        assert media is not None
        yield Bench(
            clock,
            server,
            TelegramAdapter(AccountName("helper"), settings, account.kit),
            account,
            on_telegram(ann.chat),
            on_telegram(bob.chat),
            ann.chat.bot_texts,
            {"path": "sendMessage"},
            "getMe",
            _attachment(media.file_id),
            "/file/bot",
        )


@asynccontextmanager
async def _discord(clock: FakeClock, account: Account) -> AsyncIterator[Bench]:
    async with FakeDiscord(clock=clock) as server:
        settings = DiscordSettings.model_validate({
            "token": server.token,
            "api_base": server.api_base,
            "gateway_url": server.gateway_url,
            "cdn_hosts": ["127.0.0.1"],
        })
        ann, bob = server.user(42, "Ann"), server.user(43, "Bob")
        message = ann.sends("a.txt", FILE)
        [file] = message.files
        url = server.world.files.payload(file, clock.now())["url"]
        yield Bench(
            clock,
            server,
            DiscordAdapter(AccountName("helper"), settings, account.kit),
            account,
            on_discord(ann.dm),
            on_discord(bob.dm, 43),
            ann.dm.bot_texts,
            {"path": "/messages", "method": "POST"},
            "/users/@me",
            _attachment(encode_reference(str(ann.dm.id), str(message.id), str(file.id), url)),
            "/attachments/",
        )


@asynccontextmanager
async def _slack(clock: FakeClock, account: Account) -> AsyncIterator[Bench]:
    async with FakeSlack(clock=clock) as server:
        settings = SlackSettings.model_validate({
            "bot_token": server.world.bot_token,
            "app_token": server.world.app_token,
            "api_base": f"{server.url}/api/",
        })
        ann, bob = server.user("U0ANN", "Ann"), server.user("U0BOB", "Bob")
        [file] = ann.sends({"a.txt": FILE}).files
        yield Bench(
            clock,
            server,
            SlackAdapter(AccountName("helper"), settings, account.kit),
            account,
            on_slack(ann.dm),
            on_slack(bob.dm, user="T0TEAM:U0BOB"),
            ann.dm.bot_texts,
            {"path": "chat.postMessage"},
            "auth.test",
            _attachment(file.id),
            "/files-pri/",
        )
