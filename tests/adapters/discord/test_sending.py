"""What is sent, changed, marked and found again; what a failure means."""

from pathlib import Path
from typing import Any

import pytest

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.settings import DiscordSettings
from gateway.errors import (
    AccountRejected,
    NotSupported,
    RetryLater,
    SendRefused,
    SendUncertain,
)
from gateway.ids import AccountName, MessageId
from gateway.messages import Choice, Mark, OutgoingFile, OutgoingMessage
from tests.adapters.discord.conftest import at
from tests.fakes.account import Account
from tests.fakes.discord import Channel, FakeDiscord, Guild, May, User
from tests.fakes.faults import Answer, Drop, RateLimit, Reset

STOP = (Choice("Stop", "/stop"),)


def saying(text: str, key: str = "out_1", **more: object) -> OutgoingMessage:
    return OutgoingMessage(key=key, text=text, **more)  # type: ignore[arg-type] # by name


async def test_r6_a_send_whose_answer_was_lost_is_made_once(
    adapter: DiscordAdapter, server: FakeDiscord, ann: User
) -> None:
    server.faults.add(Drop(), path="/messages", method="POST", times=1)
    with pytest.raises(SendUncertain):
        await adapter.send(at(ann.dm), saying("hello"))
    again = await adapter.send(at(ann.dm), saying("hello"))
    assert ann.dm.bot_texts() == ["hello"]
    assert again == MessageId(f"{ann.dm.id}:{ann.dm.shown()[-1].id}")


async def test_a_request_that_never_left_may_be_made_again(
    adapter: DiscordAdapter, server: FakeDiscord, ann: User
) -> None:
    server.faults.add(Reset("before"), path="/messages", method="POST", times=1)
    with pytest.raises((SendUncertain, RetryLater)):
        await adapter.send(at(ann.dm), saying("hello"))
    assert ann.dm.bot_texts() == []


async def test_trouble_on_their_side_is_in_doubt_for_a_send_and_harmless_for_an_edit(
    adapter: DiscordAdapter, server: FakeDiscord, ann: User
) -> None:
    sent = await adapter.send(at(ann.dm), saying("hello"))
    server.faults.add(Answer(502, b"bad gateway"))
    with pytest.raises(SendUncertain):
        await adapter.send(at(ann.dm), saying("more", key="out_2"))
    with pytest.raises(RetryLater):
        await adapter.edit(at(ann.dm), sent, saying("changed"))


async def test_r11_lesson_19_no_call_is_made_inside_a_penalty(
    adapter: DiscordAdapter, server: FakeDiscord, ann: User
) -> None:
    fault = server.faults.add(RateLimit(retry_after=30), path="/messages", method="POST", times=1)
    with pytest.raises(RetryLater) as raised:
        await adapter.send(at(ann.dm), saying("hello"))
    assert 29 <= raised.value.after <= 30
    before = len(server.log)
    with pytest.raises(RetryLater) as raised:
        await adapter.send(at(ann.dm), saying("hello"))
    assert 20 <= raised.value.after <= 30
    assert len(server.log) == before
    assert fault.used == 1
    bob = server.user(43, "Bob")
    await adapter.send(at(bob.dm, 43), saying("others go on", key="out_2"))


async def test_a_used_up_window_is_waited_for(
    adapter: DiscordAdapter, server: FakeDiscord, ann: User
) -> None:
    server.rates.enabled = True
    waits = []
    for number in range(12):
        try:
            await adapter.send(at(ann.dm), saying("hi", key=f"out_{number}"))
        except RetryLater as pause:
            waits.append(pause.after)
    assert waits
    assert not [call for call in server.log if call.refused]


async def test_a_wrong_token_is_told_plainly(
    adapter: DiscordAdapter, server: FakeDiscord, ann: User
) -> None:
    server.faults.add(Answer(401, {"message": "401: Unauthorized", "code": 0}))
    with pytest.raises(AccountRejected, match="Reset Token"):
        await adapter.send(at(ann.dm), saying("hello"))


async def test_refusals_are_in_plain_words(
    adapter: DiscordAdapter, team: Guild, general: Channel
) -> None:
    team.denies(general, May.SEND_MESSAGES)
    with pytest.raises(SendRefused, match="lacks a permission"):
        await adapter.send(at(general), saying("hello"))


@pytest.mark.parametrize(
    ("code", "is_gone"), [(10003, True), (50007, True), (50013, False), (50035, False)]
)
async def test_a_refusal_says_whether_anything_is_taken_there_any_more(
    adapter: DiscordAdapter, server: FakeDiscord, ann: User, code: int, is_gone: bool
) -> None:
    server.faults.add(Answer(403, {"message": "No", "code": code}), path="/messages")
    with pytest.raises(SendRefused) as refused:
        await adapter.send(at(ann.dm), saying("hello"))
    assert refused.value.is_gone == is_gone


async def test_a_discord_that_cannot_be_reached_has_taken_nothing(
    entry: dict[str, Any], account: Account, ann: User
) -> None:
    settings = DiscordSettings.model_validate({**entry, "api_base": "http://127.0.0.1:9/api"})
    away = DiscordAdapter(AccountName("helper"), settings, account.kit)
    with pytest.raises(RetryLater):
        await away.send(at(ann.dm), saying("not opened yet"))
    await away.open()
    with pytest.raises(RetryLater, match="cannot be reached"):
        await away.send(at(ann.dm), saying("hello"))
    await away.close()
    await away.close()


async def test_a_message_that_is_gone_is_deleted_and_no_other_can_be(
    adapter: DiscordAdapter, general: Channel, ann: User
) -> None:
    sent = await adapter.send(at(general), saying("hello"))
    for _ in range(2):
        await adapter.delete(at(general), sent)
    assert general.shown() == []
    theirs = ann.writes("mine", channel=general)
    with pytest.raises(SendRefused):
        await adapter.delete(at(general), MessageId(f"{general.id}:{theirs.id}"))


async def test_a_typing_sign_ends_when_the_answer_is_there(
    adapter: DiscordAdapter, general: Channel
) -> None:
    await adapter.show_typing(at(general))
    assert general.is_typing()
    await adapter.send(at(general), saying("hello"))
    assert not general.is_typing()


async def test_t56_edits_call_nobody_either(
    adapter: DiscordAdapter, server: FakeDiscord, general: Channel
) -> None:
    sent = await adapter.send(at(general), saying("@everyone <@42>"))
    await adapter.edit(at(general), sent, saying("<@42> @here again"))
    assert server.pings == []


async def test_find_sent_knows_a_growing_message_and_an_answer(
    adapter: DiscordAdapter, account: Account, general: Channel, ann: User, server: FakeDiscord
) -> None:
    old = await adapter.send(at(general), saying("Hello there"))
    question = ann.writes(f"{server.mention} hi", channel=general)
    reply_to = MessageId(f"{general.id}:{question.id}")
    since = account.kit.clock.now()
    growing = saying("Hel…", key="k", is_growing=True, choices=STOP, reply_to=reply_to)
    sent = await adapter.send(at(general), growing)
    sought = saying("…", key="k", is_growing=True, reply_to=reply_to)
    assert await adapter.find_sent(at(general), sought, since) == sent
    assert sent != old


async def test_find_sent_says_when_it_cannot_know(
    adapter: DiscordAdapter, team: Guild, general: Channel
) -> None:
    team.denies(general, May.READ_MESSAGE_HISTORY)
    team.denies(general, May.VIEW_CHANNEL)
    with pytest.raises(NotSupported):
        await adapter.find_sent(at(general), saying("x"), 0.0)


@pytest.mark.promise("R6")
async def test_r6_a_history_that_may_not_be_read_shows_nothing_and_proves_nothing(
    adapter: DiscordAdapter, server: FakeDiscord, team: Guild, general: Channel, ann: User
) -> None:
    """Discord then answers with an empty list, as if nothing had ever been written."""
    ann.writes("hi", channel=general)
    team.denies(general, May.READ_MESSAGE_HISTORY)
    server.faults.add(Drop(), path="/messages", method="POST", times=1)
    with pytest.raises(SendUncertain):
        await adapter.send(at(general), saying("hello"))
    assert general.bot_texts() == ["hello"]
    with pytest.raises(NotSupported):
        await adapter.find_sent(at(general), saying("hello"), server.world.now() - 5.0)


@pytest.mark.promise("R6")
async def test_r6_a_message_is_found_behind_everything_that_others_wrote(
    adapter: DiscordAdapter, server: FakeDiscord, general: Channel, ann: User
) -> None:
    since = server.world.now()
    for number in range(250):
        ann.writes(f"{number}", channel=general)
    sent = await adapter.send(at(general), saying("hello"))
    assert await adapter.find_sent(at(general), saying("hello"), since) == sent
    assert await adapter.find_sent(at(general), saying("never said"), since) is None
    for number in range(200):
        ann.writes(f"{number}", channel=general)
    with pytest.raises(NotSupported):
        await adapter.find_sent(at(general), saying("never said"), since)


async def test_where_no_history_may_be_read_the_answer_comes_all_the_same(
    adapter: DiscordAdapter, team: Guild, general: Channel, ann: User
) -> None:
    """Discord lets nobody answer *to* a message whose channel they may not read back."""
    question = ann.writes("hi", channel=general)
    team.denies(general, May.READ_MESSAGE_HISTORY)
    reply_to = MessageId(f"{general.id}:{question.id}")
    sent = await adapter.send(at(general), saying("hello", reply_to=reply_to))
    await adapter.edit(at(general), sent, saying("hello, Ann", reply_to=reply_to))
    assert general.bot_texts() == ["hello, Ann"]


async def test_marks_replace_one_another(
    adapter: DiscordAdapter, general: Channel, ann: User
) -> None:
    message = ann.writes("hi", channel=general)
    name = MessageId(f"{general.id}:{message.id}")
    for mark in (Mark.SEEN, Mark.SEEN, Mark.DONE):
        await adapter.mark(at(general), name, mark)
    assert list(message.reactions) == ["✅"]


async def test_marks_are_given_up_where_they_are_not_allowed(
    adapter: DiscordAdapter, server: FakeDiscord, team: Guild, general: Channel, ann: User
) -> None:
    team.denies(general, May.ADD_REACTIONS)
    name = MessageId(f"{general.id}:{ann.writes('hi', channel=general).id}")
    for _ in range(2):
        with pytest.raises(NotSupported):
            await adapter.mark(at(general), name, Mark.SEEN)
    assert len(server.calls("react")) == 1


async def test_lesson_26_files_that_go_together_are_one_message(
    adapter: DiscordAdapter, general: Channel, tmp_path: Path
) -> None:
    files = []
    for number in range(3):
        path = tmp_path / f"{number}"
        path.write_bytes(b"x" * (number + 1))
        files.append(OutgoingFile(path, f"{number}.txt", "text/plain"))
    sent = await adapter.send_files(at(general), files, "out_1")
    assert len(set(sent)) == 1
    [message] = general.shown()
    assert [len(file.data) for file in message.files] == [1, 2, 3]


async def test_a_file_that_is_gone_is_refused_in_words(
    adapter: DiscordAdapter, general: Channel, tmp_path: Path
) -> None:
    file = OutgoingFile(tmp_path / "nothing", "a.txt", "text/plain")
    with pytest.raises(SendRefused, match=r"a\.txt is no longer there"):
        await adapter.send_files(at(general), [file], "out_1")


async def test_doctor_says_who_it_is_and_how_it_is_invited(adapter: DiscordAdapter) -> None:
    told = await adapter.check()
    assert "Message Content Intent on" in told
    assert "permissions=309237763136" in told
