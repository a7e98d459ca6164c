"""Threads that answers make, and those that are there."""

from typing import Any

import pytest

from adapters.discord.adapter import DiscordAdapter
from gateway.messages import Address, OutgoingMessage, Place
from tests.adapters.discord.conftest import Receiving, at
from tests.fakes.account import Account
from tests.fakes.discord import Channel, FakeDiscord, Guild, May, User

THREADS: list[dict[str, Any]] = [{"threads": True}]


def saying(text: str, key: str = "out_1", **more: Any) -> OutgoingMessage:
    return OutgoingMessage(key=key, text=text, **more)


async def asked(account: Account, place: Channel, words: str, who: User, name: str) -> Address:
    """Write to the bot; return where it is to answer."""
    known = len(account.gate.messages)
    who.writes(f"{name} {words}", channel=place)
    await account.gate.until(lambda gate: len(gate.messages) > known)
    return account.gate.messages[-1].address


@pytest.mark.parametrize("more", THREADS)
async def test_a_mention_is_answered_in_a_thread_of_its_own(
    adapter: DiscordAdapter,
    receiving: Receiving,
    server: FakeDiscord,
    account: Account,
    general: Channel,
    ann: User,
) -> None:
    async with receiving():
        here = await asked(account, general, "Plan a trip " + "far " * 40, ann, server.mention)
        question = account.gate.messages[0].message_id
        await adapter.show_typing(here)
        await adapter.send(here, saying("Where to?", reply_to=question))
        [thread] = [one for one in server.channels.values() if one.parent is general]
        assert thread.bot_texts() == ["Where to?"]
        assert general.bot_texts() == []
        assert thread.name.startswith("Plan a trip far far")
        assert len(thread.name) <= 100
        assert thread.name.endswith("…")
        ann.writes("To Rome", channel=thread)
        await account.gate.until(lambda gate: gate.texts[-1] == "To Rome")
        follow_up = account.gate.messages[-1]
        assert follow_up.address.place == here.place
        assert follow_up.is_addressed
        await adapter.send(here, saying("Bene.", key="out_2"))
        assert thread.bot_texts() == ["Where to?", "Bene."]
        assert len(server.calls("open_thread")) == 1


@pytest.mark.parametrize("more", THREADS)
async def test_after_a_restart_a_thread_that_was_made_is_used(
    adapter: DiscordAdapter, general: Channel, ann: User
) -> None:
    question = ann.writes("hi", channel=general)
    thread = ann.opens_thread(general, "hi", on=question)
    assert thread.id == question.id
    await adapter.send(at(thread), saying("Hello."))
    assert thread.bot_texts() == ["Hello."]
    assert general.bot_texts() == []


async def test_a_thread_that_nobody_has_told_of_is_answered_in(
    adapter: DiscordAdapter, general: Channel, ann: User
) -> None:
    thread = ann.opens_thread(general, "Talk")
    ann.archives(thread)
    await adapter.send(at(thread), saying("Hello."))
    assert thread.bot_texts() == ["Hello."]
    assert general.bot_texts() == []


@pytest.mark.parametrize("more", THREADS)
async def test_without_a_permission_the_answer_is_in_the_channel(
    adapter: DiscordAdapter,
    receiving: Receiving,
    server: FakeDiscord,
    account: Account,
    team: Guild,
    general: Channel,
    ann: User,
) -> None:
    team.denies(general, May.CREATE_PUBLIC_THREADS)
    async with receiving():
        here = await asked(account, general, "hi", ann, server.mention)
        question = account.gate.messages[0].message_id
        await adapter.send(here, saying("Hello.", reply_to=question))
        await adapter.send(here, saying("More.", key="out_2"))
    assert general.bot_texts() == ["Hello.", "More."]
    assert general.shown()[1].reply_to is general.shown()[0]
    assert len(server.calls("open_thread")) == 1


@pytest.mark.parametrize("more", THREADS)
async def test_what_is_not_meant_for_the_bot_has_no_thread(
    receiving: Receiving, account: Account, general: Channel, ann: User
) -> None:
    async with receiving():
        here = await asked(account, general, "hi all", ann, "")
    assert here.place == Place(
        str(general.id), space=str(general.guild.id) if general.guild else ""
    )


async def test_a_post_of_a_forum_is_a_conversation(
    adapter: DiscordAdapter,
    receiving: Receiving,
    server: FakeDiscord,
    account: Account,
    team: Guild,
    ann: User,
) -> None:
    forum = team.forum("questions")
    async with receiving():
        post = ann.posts(forum, "Why?", f"{server.mention} why so?")
        await account.gate.until(lambda gate: gate.texts == ["why so?"])
        here = account.gate.messages[0].address
        assert here.place == Place(str(forum.id), str(post.id), space=str(team.id))
        await adapter.send(here, saying("So."))
        assert post.bot_texts() == ["So."]
