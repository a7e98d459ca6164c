"""Commands from the menu and pressed buttons: answered in time, once, and to whom they concern."""

import asyncio
import json
from pathlib import Path

import pytest

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.settings import DiscordSettings
from gateway.errors import RetryLater, SendRefused
from gateway.ids import AccountName, MessageId
from gateway.messages import Choice, Origin, OutgoingMessage, Receipt
from tests.adapters.discord.conftest import Receiving, at
from tests.fakes.account import Account
from tests.fakes.clock import FakeClock
from tests.fakes.discord import Channel, FakeDiscord, Guild, Interaction, May, User
from tests.fakes.faults import Answer, Drop

CHOICES = (Choice("Approve", "/approve x"), Choice("Deny", "/deny x", is_danger=True))
STOP = (Choice("Stop", "/stop"),)


async def answered(server: FakeDiscord, one: Interaction) -> None:
    await server.until(lambda _: one.is_answered)


async def published(server: FakeDiscord) -> None:
    await server.until(lambda server: bool(server.world.commands))


async def test_a_command_waits_for_its_answer_and_gets_it_in_its_place(
    adapter: DiscordAdapter, receiving: Receiving, server: FakeDiscord, account: Account, ann: User
) -> None:
    async with receiving():
        await published(server)
        used = ann.uses("start", text="now")
        await answered(server, used)
        assert used.is_thinking
        [message] = account.gate.messages
        assert (message.text, message.origin) == ("/start now", Origin.INVOKED)
        sent = await adapter.send(
            at(ann.dm), OutgoingMessage("k", "Hello.", reply_to=message.message_id)
        )
        assert used.answers == ["Hello."]
        assert sent == f"{ann.dm.id}:{ann.dm.shown()[-1].id}"
        await adapter.send(at(ann.dm), OutgoingMessage("k2", "More.", reply_to=message.message_id))
        assert ann.dm.bot_texts() == ["Hello.", "More."]


async def test_a_command_in_a_channel_that_the_bot_does_not_see_gets_its_whole_answer(
    adapter: DiscordAdapter,
    receiving: Receiving,
    server: FakeDiscord,
    account: Account,
    team: Guild,
    general: Channel,
    ann: User,
) -> None:
    """Discord offers commands there, too, and takes answers by their token alone."""
    team.denies(general, May.VIEW_CHANNEL)
    async with receiving():
        await published(server)
        used = ann.uses("start", channel=general)
        await answered(server, used)
        question = account.gate.messages[0].message_id
        growing = OutgoingMessage("k", "Hel…", question, STOP, is_growing=True)
        sent = await adapter.send(at(general), growing)
        await adapter.edit(at(general), sent, OutgoingMessage("k", "Hello.", question))
        assert used.answers == ["Hello."]
        other = MessageId(f"{general.id}:1")
        with pytest.raises(SendRefused):
            await adapter.edit(at(general), other, OutgoingMessage("k", "Hello.", question))


async def test_a_command_that_is_not_taken_is_told_so_alone(
    receiving: Receiving,
    server: FakeDiscord,
    account: Account,
    general: Channel,
    ann: User,
) -> None:
    async with receiving():
        await published(server)
        account.gate.receipt = Receipt(is_taken=False, words="Not *here*.")
        used = ann.uses("start", channel=general)
        await answered(server, used)
        assert used.answers == ["Not here."]
        assert general.shown() == []
        assert used.original is not None
        assert used.original.seen_by == ann.id


async def test_a_command_is_answered_though_keeping_it_takes_long(
    receiving: Receiving,
    server: FakeDiscord,
    account: Account,
    general: Channel,
    ann: User,
) -> None:
    async with receiving():
        await published(server)
        account.gate.open.clear()
        account.gate.receipt = Receipt(is_taken=False, words="I am full.")
        used = ann.uses("start", channel=general)
        await answered(server, used)
        assert used.is_thinking
        account.gate.open.set()
        await server.until(lambda _: not used.is_thinking)
        assert used.answers == ["I am full."]


async def test_l12_a_command_whose_answer_came_too_late_is_answered_all_the_same(
    adapter: DiscordAdapter,
    receiving: Receiving,
    server: FakeDiscord,
    account: Account,
    ann: User,
) -> None:
    async with receiving():
        await published(server)
        server.world.answer_seconds = 0
        account.gate.open.clear()
        ann.uses("start")
        await server.until(lambda server: bool(server.calls("respond")))
        account.gate.open.set()
        await account.gate.until(lambda gate: bool(gate.messages))
        reply = OutgoingMessage("k", "Hello.", reply_to=account.gate.messages[0].message_id)
        await adapter.send(at(ann.dm), reply)
        assert ann.dm.bot_texts() == ["Hello."]


async def test_after_a_restart_a_command_is_answered_by_a_message(
    adapter: DiscordAdapter, ann: User
) -> None:
    reply = OutgoingMessage("k", "Hello.", reply_to=MessageId("interaction:123"))
    await adapter.send(at(ann.dm), reply)
    assert ann.dm.bot_texts() == ["Hello."]


async def test_a_token_that_has_run_out_leaves_a_message(
    adapter: DiscordAdapter,
    receiving: Receiving,
    server: FakeDiscord,
    account: Account,
    ann: User,
) -> None:
    async with receiving():
        await published(server)
        await answered(server, ann.uses("start"))
        server.world.token_seconds = 0
        reply = OutgoingMessage("k", "Hello.", reply_to=account.gate.messages[0].message_id)
        await adapter.send(at(ann.dm), reply)
        assert ann.dm.bot_texts()[-1] == "Hello."


async def test_an_answer_in_doubt_fills_the_place_once(
    adapter: DiscordAdapter,
    receiving: Receiving,
    server: FakeDiscord,
    account: Account,
    ann: User,
) -> None:
    async with receiving():
        await published(server)
        used = ann.uses("start")
        await answered(server, used)
        reply = OutgoingMessage("k", "Hello.", reply_to=account.gate.messages[0].message_id)
        server.faults.add(Drop(), path="@original", times=1)
        with pytest.raises(RetryLater):
            await adapter.send(at(ann.dm), reply)
        await adapter.send(at(ann.dm), reply)
        assert ann.dm.bot_texts() == ["Hello."]


@pytest.mark.parametrize("is_direct", [True, False], ids=["directly", "in a server"])
async def test_a_press_that_is_taken_settles_the_message(
    adapter: DiscordAdapter,
    receiving: Receiving,
    server: FakeDiscord,
    account: Account,
    general: Channel,
    ann: User,
    is_direct: bool,
) -> None:
    place = ann.dm if is_direct else general
    sent = await adapter.send(at(place), OutgoingMessage("k", "May **I**?", choices=CHOICES))
    async with receiving():
        await answered(server, ann.presses("Deny", channel=place))
        [message] = place.shown()
        settled = "-# ✓ Deny" if is_direct else "-# ✓ Deny · Ann"
        assert message.content == f"May **I**?\n{settled}"
        assert message.labels == []
        [pressed] = account.gate.messages
        assert (pressed.text, pressed.origin) == ("/deny x", Origin.PRESSED)
        assert pressed.pressed_on == sent
        assert pressed.address.external_user == "42"


async def test_t17_a_press_that_is_refused_changes_nothing_and_is_told_alone(
    adapter: DiscordAdapter,
    receiving: Receiving,
    server: FakeDiscord,
    account: Account,
    general: Channel,
    ann: User,
) -> None:
    await adapter.send(at(general), OutgoingMessage("k", "May I?", choices=CHOICES))
    async with receiving():
        account.gate.receipt = Receipt(is_taken=False, words="Only who asked may.")
        pressed = ann.presses("Approve", channel=general)
        await answered(server, pressed)
        assert pressed.answers == ["Only who asked may."]
        [message] = general.shown()
        assert (message.text, message.labels) == ("May I?", ["Approve", "Deny"])


async def test_stop_leaves_the_message_to_who_writes_it(
    adapter: DiscordAdapter, receiving: Receiving, server: FakeDiscord, account: Account, ann: User
) -> None:
    growing = OutgoingMessage("k", "Once upon", choices=STOP, is_growing=True)
    await adapter.send(at(ann.dm), growing)
    async with receiving():
        pressed = ann.presses("Stop")
        await answered(server, pressed)
        [message] = ann.dm.shown()
        assert (message.text, message.labels, pressed.answers) == ("Once upon", ["Stop"], [])
        assert account.gate.texts == ["/stop"]


@pytest.mark.parametrize("is_taken", [True, False])
async def test_a_press_is_answered_though_keeping_it_takes_long(
    adapter: DiscordAdapter,
    receiving: Receiving,
    server: FakeDiscord,
    account: Account,
    general: Channel,
    ann: User,
    is_taken: bool,
) -> None:
    await adapter.send(at(general), OutgoingMessage("k", "May I?", choices=CHOICES))
    async with receiving():
        account.gate.open.clear()
        account.gate.receipt = Receipt(is_taken=is_taken)
        pressed = ann.presses("Approve", channel=general)
        await answered(server, pressed)
        account.gate.open.set()
        if is_taken:
            await general.until(lambda shown: not shown[0].labels)
            assert general.shown()[0].text == "May I?\n-# ✓ Approve · Ann"
        else:
            await server.until(lambda _: bool(pressed.answers))
            assert pressed.answers == ["I cannot do that."]
            assert general.shown()[0].labels == ["Approve", "Deny"]


async def test_a_long_question_stays_within_the_limit_when_it_is_settled(
    adapter: DiscordAdapter, receiving: Receiving, server: FakeDiscord, ann: User
) -> None:
    await adapter.send(at(ann.dm), OutgoingMessage("k", "x" * 2000, choices=CHOICES))
    async with receiving():
        await answered(server, ann.presses("Approve"))
        [message] = ann.dm.shown()
        assert len(message.content) == 2000
        assert message.content.endswith("…\n-# ✓ Approve")


async def test_commands_are_published_once_and_again_when_they_have_changed(
    receiving: Receiving, server: FakeDiscord, account: Account
) -> None:
    async with receiving():
        await published(server)
        [start, new] = server.world.commands[None]
        assert (start["name"], start["contexts"]) == ("start", [0, 1])
        assert (new["name"], new["contexts"]) == ("new", [1])
        server.gateway.invalidates()
        await server.until(lambda server: server.gateway.identifies == 2)
    async with receiving():
        pass
    assert len(server.calls("set_commands")) == 1
    assert account.cursor.position is not None


async def test_commands_move_from_everywhere_to_one_server(
    receiving: Receiving,
    server: FakeDiscord,
    account: Account,
    team: Guild,
    entry: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    saved = asyncio.Event()

    async def save(position: str) -> None:
        account.cursor.position = position
        if json.loads(position)["menu"]:
            saved.set()

    monkeypatch.setattr(account.cursor, "save", save)
    async with receiving(), asyncio.timeout(5):
        await saved.wait()
    settings = DiscordSettings.model_validate({**entry, "command_servers": [str(team.id)]})
    moved = DiscordAdapter(AccountName("helper"), settings, account.kit)
    await moved.open()
    async with account.receiving(moved):
        await server.until(lambda server: bool(server.world.commands.get(team.id)))
    await moved.close()
    assert server.world.commands[None] == []
    [start] = server.world.commands[team.id]
    assert start["name"] == "start"


async def test_a_menu_that_cannot_be_published_stops_nothing(
    receiving: Receiving, server: FakeDiscord, account: Account, ann: User
) -> None:
    server.faults.add(Answer(403, {"message": "Missing Access", "code": 50001}), path="/commands")
    async with receiving():
        ann.writes("hi")
        await account.gate.until(lambda gate: gate.texts == ["hi"])
        await server.until(lambda server: bool(server.calls("set_commands")))
        assert server.world.commands == {}


async def test_what_is_never_answered_does_not_think_for_ever(tmp_path: Path) -> None:
    clock = FakeClock()
    account = Account(clock, tmp_path)
    async with FakeDiscord(clock=clock) as server:
        entry = {
            "token": server.token,
            "api_base": server.api_base,
            "gateway_url": server.gateway_url,
        }
        settings = DiscordSettings.model_validate(entry)
        adapter = DiscordAdapter(AccountName("helper"), settings, account.kit)
        await adapter.open()
        async with account.receiving(adapter):
            await published(server)
            used = server.user(42, "Ann").uses("start")
            await answered(server, used)
            for _ in range(13):
                await clock.advance(60)
            assert used.is_thinking
            await clock.advance(61)
            await server.until(lambda _: used.answers == [])
        await adapter.close()
