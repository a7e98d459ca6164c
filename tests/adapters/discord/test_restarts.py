"""A session of the gateway goes on in the next process: nothing is begun anew, nothing lost."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.settings import DiscordSettings
from gateway.ids import AccountName, MessageId
from gateway.messages import Choice, OutgoingMessage, Receipt
from tests.adapters.discord.conftest import at
from tests.fakes.account import Account, Gate
from tests.fakes.clock import FakeClock
from tests.fakes.discord import Channel, FakeDiscord, Guild, User
from tests.fakes.faults import Hold

Life = Callable[..., AbstractAsyncContextManager[DiscordAdapter]]
CHOICES = (Choice("Approve", "/approve x"), Choice("Deny", "/deny x", is_danger=True))


@pytest.fixture
def life(entry: dict[str, Any], account: Account, server: FakeDiscord) -> Life:
    """Return a context in which a new process has the account, in a session that is saved."""

    @asynccontextmanager
    async def context(*, is_settled: bool = True, **more: Any) -> AsyncIterator[DiscordAdapter]:
        before = server.gateway.welcomes
        settings = DiscordSettings.model_validate({**entry, **more})
        adapter = DiscordAdapter(AccountName("helper"), settings, account.kit)
        await adapter.open()
        try:
            async with account.receiving(adapter):
                await server.until(
                    lambda server: server.gateway.welcomes > before and server.gateway.is_connected
                )
                if is_settled:
                    await server.until(lambda server: bool(server.world.commands))
                    await has_saved(account)
                yield adapter
        finally:
            await adapter.close()

    return context


def saved(account: Account) -> Any:
    """Return what the next process will find of the session."""
    return json.loads(str(account.cursor.position)).get("session")


async def has_saved(account: Account) -> None:
    """Wait until the session could be gone on with."""
    await account.cursor.until(lambda cursor: bool(cursor.position and saved(account)))


async def heard(account: Account, *texts: str) -> None:
    await account.gate.until(lambda gate: gate.texts == list(texts))


def begun(server: FakeDiscord) -> tuple[int, int]:
    """Count sessions that were begun, and tries to go on with one."""
    return server.gateway.identifies, server.gateway.resumes


@pytest.mark.promise("R8", "R12")
async def test_r8_r12_a_restart_goes_on_with_the_session_and_all_that_was_done_meanwhile_is_told(
    life: Life, server: FakeDiscord, account: Account, general: Channel, ann: User
) -> None:
    async with life():
        first = ann.writes("one", channel=general)
        await heard(account, "one")
    written = ann.writes("two", channel=general)
    ann.edits(written, "two and a half")
    gone = ann.writes("three", channel=general)
    ann.deletes(gone)
    ann.edits(first, "ONE")
    asked = len(server.calls("history"))
    async with life():
        await heard(account, "one", "two", "two and a half", "three", "ONE")
        ann.writes("four", channel=general)
        await heard(account, "one", "two", "two and a half", "three", "ONE", "four")
        assert account.gate.deleted == [f"{general.id}:{gone.id}"]
    kinds = [type(one).__name__ for one in account.gate.kept]
    assert kinds == [*["Message"] * 4, "MessageDeleted", *["Message"] * 2]
    assert account.gate.attempts == len(account.gate.kept)
    assert begun(server) == (1, 1)
    assert len(server.calls("history")) == asked


@pytest.mark.promise("R8")
async def test_r8_a_first_direct_message_that_was_written_meanwhile_is_found(
    life: Life, server: FakeDiscord, account: Account, team: Guild
) -> None:
    async with life():
        pass
    bob = server.user(43, "Bob")
    team.admits(bob.id)
    bob.writes("Is anybody there?")
    async with life():
        await heard(account, "Is anybody there?")
        assert account.gate.messages[0].address.place.is_direct
    assert begun(server) == (1, 1)


@pytest.mark.promise("R8")
async def test_r8_places_are_known_as_before_and_as_they_have_become_meanwhile(
    life: Life, server: FakeDiscord, account: Account, team: Guild, general: Channel, ann: User
) -> None:
    old = ann.opens_thread(general, "Old")
    async with life():
        ann.writes("one", channel=old)
        await heard(account, "one")
        kept = ann.opens_thread(general, "Kept")
        ann.writes("two", channel=kept)
        await heard(account, "one", "two")
    new = ann.opens_thread(general, "New")
    hall = team.text("hall")
    async with life():
        for text, thread in (("three", old), ("four", kept), ("five", new)):
            ann.writes(f"{text} <#{hall.id}> <#{general.id}>", channel=thread)
        words = [f"{text} #hall #general" for text in ("three", "four", "five")]
        await account.gate.until(lambda gate: sorted(gate.texts[2:]) == sorted(words))
    for message in account.gate.messages:
        assert message.address.place.conversation == str(general.id)
        assert message.address.place.thread in {str(old.id), str(kept.id), str(new.id)}
    assert begun(server) == (1, 1)


@pytest.mark.promise("R1")
async def test_r1_what_was_not_kept_when_it_ended_is_told_again(
    life: Life, server: FakeDiscord, account: Account, team: Guild, general: Channel, ann: User
) -> None:
    """The store takes nothing of one channel; what came after it in another is known again."""
    other = team.text("other")
    async with life():
        ann.writes("one", channel=general)
        await heard(account, "one")
        account.gate.busy_for = [1000.0]
        lost = ann.writes("two", channel=general)
        ann.edits(lost, "two, said better")
        await account.gate.until(lambda gate: gate.attempts == 2)
        ann.writes("three", channel=other)
        await heard(account, "one", "three")
    async with life():
        await account.gate.until(lambda gate: gate.texts[2:] == ["two", "two, said better"])
        await account.gate.until(lambda gate: gate.attempts == 6)
    assert account.gate.texts == ["one", "three", "two", "two, said better"]
    assert begun(server) == (1, 1)


@pytest.mark.promise("R1")
async def test_r1_a_death_without_a_word_goes_on_from_what_was_saved(
    life: Life, server: FakeDiscord, account: Account, general: Channel, ann: User
) -> None:
    """What was kept since then is told once more, and known by its keys."""
    async with life():
        ann.writes("one", channel=general)
        await heard(account, "one")
        left = account.cursor.position
        ann.writes("two", channel=general)
        thread = ann.opens_thread(general, "Talk")
        ann.writes("three", channel=thread)
        await account.gate.until(lambda gate: sorted(gate.texts) == ["one", "three", "two"])
    account.cursor.position = left
    ann.writes("four", channel=thread)
    async with life():
        await account.gate.until(lambda gate: len(gate.texts) == 4)
    assert account.gate.texts[3] == "four"
    assert account.gate.messages[3].address.place.thread == str(thread.id)
    assert begun(server) == (1, 1)


@pytest.mark.promise("R8")
@pytest.mark.parametrize("why", ["forgotten", "too late", "of the future", "no places", "garbled"])
async def test_r8_a_session_that_cannot_go_on_is_begun_anew_and_misses_nothing(
    life: Life,
    server: FakeDiscord,
    account: Account,
    general: Channel,
    ann: User,
    tmp_path: Path,
    why: str,
) -> None:
    async with life():
        ann.writes("one", channel=general)
        await heard(account, "one")
    ann.writes("two", channel=general)
    told = json.loads(str(account.cursor.position))
    match why:
        case "forgotten":
            server.gateway.forgets()
        case "too late":
            server.gateway.session_seconds = 0.0
        case "of the future":
            told["session"]["number"] += 1000
        case "no places":
            (tmp_path / "discord-helper.places").unlink()
        case "garbled":
            told["session"] = {"id": 7, "number": "x"}
    account.cursor.position = json.dumps(told)
    is_tried = why in {"forgotten", "too late", "of the future"}
    async with life():
        await heard(account, "one", "two")
        await server.until(lambda server: server.gateway.identifies == 2)
        ann.writes("three", channel=general)
        await heard(account, "one", "two", "three")
    assert begun(server) == (2, int(is_tried))
    assert server.gateway.refused == ([4007] if why == "of the future" else [])


async def test_a_session_of_another_token_is_not_gone_on_with(
    life: Life, server: FakeDiscord, account: Account, general: Channel, ann: User
) -> None:
    async with life():
        ann.writes("one", channel=general)
        await heard(account, "one")
    old, new = server.token, server.token.replace("secret", "another")
    server.resets_token(new)
    ann.writes("two", channel=general)
    async with life(token=new):
        await heard(account, "one", "two")
    assert begun(server) == (2, 0)
    assert server.gateway.refused == []
    position = str(account.cursor.position)
    assert old.rpartition(".")[2] not in position
    assert new.rpartition(".")[2] not in position


async def test_a_session_with_other_intents_is_not_gone_on_with(
    life: Life, server: FakeDiscord, account: Account, general: Channel, ann: User
) -> None:
    async with life(message_content=False):
        ann.writes(f"{server.mention} one", channel=general)
        await heard(account, "one")
    async with life():
        ann.writes("two", channel=general)
        await heard(account, "one", "two")
    assert begun(server) == (2, 0)


@pytest.mark.promise("R1", "R8")
async def test_r1_r8_a_death_while_histories_are_read_loses_neither_them_nor_the_session(
    life: Life, server: FakeDiscord, account: Account, team: Guild, general: Channel, ann: User
) -> None:
    async with life():
        ann.writes("one", channel=general)
        await heard(account, "one")
    server.gateway.forgets()
    ann.writes("two", channel=general)
    never = server.faults.add(Hold(asyncio.Event()), path=f"{general.id}/messages")
    async with life(is_settled=False):
        await account.cursor.until(lambda _: bool(saved(account)["unread"]))
        left = account.cursor.position
        ann.writes("three", channel=general)  # it waits for what was missed there
        ann.writes("Hello?")
        await heard(account, "one", "Hello?")
    account.cursor.position = left  # as if it had been killed before anything more was written
    assert saved(account)["unread"] == {str(general.id): str(team.id)}
    bob = server.user(43, "Bob")
    team.admits(bob.id)
    bob.writes("Is anybody there?")
    never.times = 0
    async with life():
        await account.gate.until(lambda gate: len(gate.texts) == 5)
        [two] = [one for one in account.gate.messages if one.text == "two"]
        assert two.address == at(general)
        await account.cursor.until(lambda _: not saved(account)["unread"])
    missed = [text for text in account.gate.texts if text in {"two", "three"}]
    assert missed == ["two", "three"]
    assert {"Hello?", "Is anybody there?"} < set(account.gate.texts)
    assert begun(server) == (2, 2)


@pytest.mark.promise("R1", "R8")
async def test_r1_r8_what_was_left_unread_is_read_though_the_session_has_ended_meanwhile(
    life: Life, server: FakeDiscord, account: Account, team: Guild, general: Channel, ann: User
) -> None:
    other = team.text("other")
    async with life():
        ann.writes("one", channel=general)
        await heard(account, "one")
    server.gateway.forgets()
    ann.writes("two", channel=general)
    never = server.faults.add(Hold(asyncio.Event()), path=f"{general.id}/messages")
    async with life(is_settled=False):
        await account.cursor.until(lambda _: bool(saved(account)["unread"]))
        left = account.cursor.position
    account.cursor.position = left
    server.gateway.forgets()
    ann.writes("three", channel=other)
    never.times = 0
    async with life():
        await account.gate.until(lambda gate: sorted(gate.texts) == ["one", "three", "two"])


@pytest.mark.promise("R1", "R8")
async def test_r1_r8_what_was_found_and_is_not_kept_is_found_again(
    life: Life, server: FakeDiscord, account: Account, team: Guild, general: Channel, ann: User
) -> None:
    """What was found in a history is told by no session; the store takes none of it for long."""
    async with life():
        ann.writes("one", channel=general)
        await heard(account, "one")
    server.gateway.forgets()
    ann.writes("two", channel=general)
    account.gate.busy_for = [1000.0] * 2
    attempts = account.gate.attempts
    async with life(is_settled=False):
        await account.gate.until(lambda gate: gate.attempts > attempts)
        await account.kit.clock.sleep(6.0)  # the search is over, and what it has found is not kept
    assert saved(account)["unread"] == {str(general.id): str(team.id)}
    account.gate.busy_for = []
    async with life():
        await heard(account, "one", "two")
        await account.cursor.until(lambda _: not saved(account)["unread"])
    assert begun(server) == (2, 2)


@pytest.mark.promise("R1", "R8", "R12")
async def test_r1_r8_r12_ten_restarts_under_messages_lose_nothing_and_begin_no_session(
    life: Life, server: FakeDiscord, account: Account, team: Guild, ann: User
) -> None:
    channels = [team.text(f"room{number}") for number in range(4)]
    texts = [str(number) for number in range(800)]
    left = iter(texts)

    async def talk() -> None:
        for number, text in enumerate(left):
            ann.writes(text, channel=channels[number % len(channels)])
            await account.kit.clock.sleep(0.05)

    async with asyncio.TaskGroup() as tasks:
        async with life():
            talking = tasks.create_task(talk())
        for least in range(0, 720, 80):
            async with life(is_settled=False):
                await account.gate.until(partial(_has_more, least))
        await talking
    async with life():
        await account.gate.until(lambda gate: len(gate.texts) >= len(texts))
    assert sorted(account.gate.texts, key=int) == texts
    for channel in channels:
        there = [int(one.text) for one in account.gate.messages if _is_in(one, channel)]
        assert there == sorted(there)
        assert len(there) == len(texts) / len(channels)
    assert begun(server) == (1, 10)


def _has_more(least: int, gate: Gate) -> bool:
    return len(gate.texts) > least


def _is_in(message: Any, channel: Channel) -> bool:
    return bool(message.address.place.conversation == str(channel.id))


async def test_what_was_pressed_while_it_was_down_and_is_told_of_late_is_not_done(
    life: Life, server: FakeDiscord, account: Account, general: Channel, ann: User
) -> None:
    """Discord has told Ann that it failed; she would not expect it to be done now."""
    async with life() as adapter:
        await adapter.send(at(general), OutgoingMessage("k", "May I?", choices=CHOICES))
    late = ann.presses("Approve", channel=general)
    used = ann.uses("start", channel=general)
    await account.kit.clock.sleep(3.5)
    server.world.answer_seconds = 3.0
    async with life():
        ann.writes("well?", channel=general)
        await heard(account, "well?")
        await server.until(lambda server: len(server.calls("respond")) == 2)
        assert not late.is_answered
        assert not used.is_answered
        assert general.shown()[0].labels == ["Approve", "Deny"]
        in_time = ann.presses("Approve", channel=general)
        await server.until(lambda _: in_time.is_answered)
    assert [one.text for one in account.gate.messages] == ["well?", "/approve x"]
    assert begun(server) == (1, 1)


@pytest.mark.parametrize("is_taken", [True, False])
async def test_what_was_pressed_just_before_it_came_back_is_done(
    life: Life,
    server: FakeDiscord,
    account: Account,
    general: Channel,
    ann: User,
    *,
    is_taken: bool,
) -> None:
    async with life() as adapter:
        await adapter.send(at(general), OutgoingMessage("k", "May I?", choices=CHOICES))
    account.gate.receipt = Receipt(is_taken=is_taken)
    pressed = ann.presses("Approve", channel=general)
    used = ann.uses("start", channel=general)
    async with life() as adapter:
        if not is_taken:
            refusals = ["I cannot do that."] * 2
            await server.until(lambda _: [*pressed.answers, *used.answers] == refusals)
            return
        await general.until(lambda shown: not shown[0].labels)
        await account.gate.until(lambda gate: len(gate.messages) == 2)
        await adapter.send(at(general), OutgoingMessage("k2", "Hello.", reply_to=asked(account)))
        assert used.answers == ["Hello."]


async def test_what_was_pressed_and_answered_before_a_death_is_answered_once(
    life: Life, server: FakeDiscord, account: Account, general: Channel, ann: User
) -> None:
    async with life() as adapter:
        await adapter.send(at(general), OutgoingMessage("k", "May I?", choices=CHOICES))
        left = account.cursor.position
        pressed = ann.presses("Approve", channel=general)
        used = ann.uses("start", channel=general)
        await server.until(lambda _: pressed.is_answered and used.is_answered)
        await adapter.send(at(general), OutgoingMessage("k2", "Hello.", reply_to=asked(account)))
    account.cursor.position = left
    async with life():
        await account.gate.until(lambda gate: gate.attempts == 4)
    assert used.answers == ["Hello."]
    assert general.shown()[0].text == "May I?\n-# ✓ Approve · Ann"
    assert len(account.gate.messages) == 2
    assert begun(server) == (1, 1)


@pytest.mark.promise("R6")
@pytest.mark.parametrize("first", ["Hello.", "Hel…"])
async def test_r6_a_command_that_was_answered_in_the_moment_of_a_death_has_one_answer(
    life: Life, server: FakeDiscord, account: Account, general: Channel, ann: User, first: str
) -> None:
    """Its place is filled by no nonce, and the new process, which answers at once, has no token."""
    async with life() as adapter:
        other = ann.uses("start", channel=general)
        used = ann.uses("start", channel=general)
        await server.until(lambda _: used.is_answered and other.is_answered)
        grows = first != "Hello."
        stop = (Choice("Stop", "/stop"),) if grows else ()
        said = OutgoingMessage("k", first, asked(account), stop, is_growing=grows)
        sent = await adapter.send(at(general), said)
        question = asked(account)
    server.gateway.forgets()
    async with life() as adapter:
        again = OutgoingMessage("k", "…" if grows else first, question, is_growing=True)
        assert await adapter.send(at(general), again) == sent
        await adapter.edit(at(general), sent, OutgoingMessage("k", "Hello.", question))
        never = MessageId(f"interaction:{other.id}")
        await adapter.send(at(general), OutgoingMessage("k2", "Hello.", never))
    assert used.answers == ["Hello."]
    assert general.bot_texts() == ["", "Hello.", "Hello."]  # the first still seems to think


@pytest.mark.parametrize("clock", [FakeClock()])
async def test_an_answer_that_a_process_before_has_given_is_not_taken_away(
    life: Life, clock: FakeClock, server: FakeDiscord, account: Account, general: Channel, ann: User
) -> None:
    """What is never answered is, after a while; of this one the new process knows no answer."""
    async with life() as adapter:
        left = account.cursor.position
        used = ann.uses("start", channel=general)
        await server.until(lambda _: used.is_answered)
        await adapter.send(at(general), OutgoingMessage("k", "Hello.", reply_to=asked(account)))
    account.cursor.position = left
    async with life():
        await account.gate.until(lambda gate: gate.attempts == 2)
        for _ in range(20):
            await clock.advance(60)
        ann.writes("Thank you.", channel=general)
        await account.gate.until(lambda gate: "Thank you." in gate.texts)
    assert used.answers == ["Hello."]
    assert not server.calls("delete_answer")


def asked(account: Account) -> MessageId:
    """Return the command that was used last."""
    commands = [one for one in account.gate.messages if one.message_id.startswith("interaction:")]
    return next(one.message_id for one in reversed(commands) if one.pressed_on is None)


async def test_a_menu_that_changed_with_the_process_is_published_all_the_same(
    life: Life, server: FakeDiscord, team: Guild
) -> None:
    async with life():
        await server.until(lambda server: bool(server.world.commands))
    async with life(command_servers=[str(team.id)]):
        await server.until(lambda server: bool(server.world.commands.get(team.id)))
    assert begun(server) == (1, 1)
