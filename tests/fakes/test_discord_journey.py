"""The places of journeys on Discord, with a small bot instead of the gateway."""

from pathlib import Path

import discord
import pytest

from tests.contracts.adapter_contract import TRICKY
from tests.fakes.clock import FakeClock
from tests.fakes.discord_bot import bot_for
from tests.fakes.fast_clock import FastClock
from tests.journeys.on_discord import Discord, DiscordServer, DiscordThread


@pytest.mark.parametrize("place", [Discord, DiscordServer, DiscordThread])
async def test_people_write_send_press_and_see(place: type[Discord], tmp_path: Path) -> None:
    async with place(FastClock(50), tmp_path) as platform:
        ann, bob = platform.person("Ann"), platform.person("Bob")
        assert (ann.identity, bob.identity) == ("discord:42", "discord:43")
        platform.before_start()
        async with bot_for(platform.server) as bot:
            await platform.connected()
            ann.writes("hi")
            called = "" if ann.channel.is_direct else f"{platform.server.mention} "
            heard = await bot.hears(f"{called}hi")
            stop = discord.ui.View(timeout=None)
            stop.add_item(discord.ui.Button(label="Stop", custom_id="stop"))
            sent = await heard.channel.send(discord.utils.escape_markdown(TRICKY), view=stop)
            assert (ann.preview(), ann.texts()) == (TRICKY, [TRICKY])
            ann.presses("Stop")
            pressed = await bot.is_asked()
            await pressed.response.edit_message(view=None)
            await sent.edit(content="done")
            await ann.reads("done")
            assert ann.preview() == ""
            ann.sends("sun.png", b"\x89PNG", "look")
            assert (await bot.hears(f"{called}look")).attachments[0].filename == "sun.png"
            await pressed.followup.send("only for Ann", ephemeral=True)
            assert ann.texts()[-1] == "only for Ann"
            assert "only for Ann" not in bob.texts()
        assert platform.complaints() == []
        assert set(platform.said()) == {f"{called}hi", f"{called}look"}
        assert platform.entry["token"] in platform.secrets


async def test_what_went_wrong_is_complained_of(tmp_path: Path) -> None:
    async with Discord(FakeClock(), tmp_path) as platform:
        ann = platform.person("Ann")
        async with bot_for(platform.server) as bot:
            user = await bot.fetch_user(42)
            await user.send(ann.user.mention)
            with pytest.raises(discord.HTTPException):
                await user.send("")
        assert platform.complaints() == [
            "send: 50006 Cannot send an empty message",
            "user was called",
        ]
