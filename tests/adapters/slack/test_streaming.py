"""Answers that are streamed, and what becomes of a stream that cannot go on."""

import pytest

from adapters.slack.adapter import SlackAdapter
from adapters.slack.settings import SlackSettings
from gateway.errors import SendUncertain
from gateway.ids import AccountName, MessageId
from gateway.messages import Address, Choice, OutgoingMessage, Task, TaskState
from tests.fakes.account import Account
from tests.fakes.clock import FakeClock
from tests.fakes.faults import Drop, RateLimit
from tests.fakes.slack import FakeSlack, Message, User
from tests.fakes.slack_address import at, connected

STOP = (Choice("Stop", "/stop"),)
FOUR_MINUTES = 241.0


def saying(text: str, **more: object) -> OutgoingMessage:
    return OutgoingMessage(key="out_1", text=text, **more)  # type: ignore[arg-type] # by name


def growing(text: str, **more: object) -> OutgoingMessage:
    return saying(text, is_growing=True, choices=STOP, **more)


def task(state: TaskState, detail: str = "") -> Task:
    return Task("t1", "search: news", state, detail)


@pytest.fixture
def here(ann: User) -> Address:
    return at(ann.dm, ann.writes("hi").ts)


def answer(ann: User) -> Message:
    return [one for one in ann.dm.shown() if one.is_from_bot][-1]


async def test_an_answer_streams_into_the_thread(
    adapter: SlackAdapter, server: FakeSlack, ann: User, here: Address
) -> None:
    sent = await adapter.send(here, growing("Hel"))
    assert [one.shown for one in ann.dm.streaming()] == ["Hel"]
    assert answer(ann).thread_ts == here.place.anchor
    await adapter.edit(here, sent, growing("Hello **wor"))
    await adapter.edit(here, sent, saying("Hello **world** <!channel>", choices=STOP))
    message = answer(ann)
    assert message.shown == "Hello world <!channel>"
    assert message.labels == ["Stop"]
    assert message.metadata == {"event_type": "parley_message", "event_payload": {"key": "out_1"}}
    assert not ann.dm.streaming()
    assert not server.calls("chat.update")
    assert not server.calls("chat.postMessage")


async def test_tools_are_tasks_in_it(adapter: SlackAdapter, ann: User, here: Address) -> None:
    sent = await adapter.send(here, growing("", tasks=(task(TaskState.RUNNING),)))
    [shown] = answer(ann).tasks
    assert (shown.title, shown.status) == ("search: news", "in_progress")
    done = task(TaskState.DONE, "3 found")
    await adapter.edit(here, sent, growing("Three.", tasks=(done,)))
    await adapter.edit(here, sent, growing("Three.", tasks=(done,)))
    failed = Task("t2", "read", TaskState.FAILED, "gone")
    await adapter.edit(here, sent, saying("Three. All.", tasks=(done, failed)))
    assert [(one.title, one.status, one.output) for one in answer(ann).tasks] == [
        ("search: news", "complete", "3 found"),
        ("read", "error", "gone"),
    ]
    assert answer(ann).shown == "Three. All."


async def test_what_has_not_changed_is_not_sent(
    adapter: SlackAdapter, server: FakeSlack, here: Address
) -> None:
    sent = await adapter.send(here, growing("Hello"))
    await adapter.edit(here, sent, growing("Hello"))
    await adapter.edit(here, sent, growing("Hello !["))
    assert not server.calls("chat.appendStream")


async def test_a_text_that_does_not_go_on_becomes_a_plain_message(
    adapter: SlackAdapter, ann: User, here: Address
) -> None:
    sent = await adapter.send(here, growing("One", tasks=(task(TaskState.DONE),)))
    await adapter.edit(here, sent, growing("Two", tasks=(task(TaskState.DONE),)))
    assert answer(ann).shown == "Two\n🔧 search: news"
    assert answer(ann).labels == ["Stop"]
    await adapter.edit(here, sent, saying("Three"))
    assert [one.shown for one in ann.dm.shown() if one.is_from_bot] == ["Three"]


async def test_a_stream_is_ended_before_it_dies_and_its_message_goes_on(
    adapter: SlackAdapter, server: FakeSlack, clock: FakeClock, ann: User, here: Address
) -> None:
    sent = await adapter.send(here, growing("One "))
    await clock.advance(FOUR_MINUTES)
    await adapter.edit(here, sent, growing("One two "))
    assert not answer(ann).is_broken
    await clock.advance(FOUR_MINUTES)
    await adapter.edit(here, sent, saying("One two three"))
    assert [one.shown for one in ann.dm.shown() if one.is_from_bot] == ["One two three"]
    assert not [call for call in server.log if call.refused]


async def test_a_stream_that_died_all_the_same_is_changed_as_a_whole(
    adapter: SlackAdapter, server: FakeSlack, ann: User, here: Address
) -> None:
    sent = await adapter.send(here, growing("One "))
    stream = answer(ann).stream
    assert stream is not None
    stream.ended = server.clock.now()
    await adapter.edit(here, sent, growing("One two"))
    await adapter.edit(here, sent, saying("One two three"))
    assert answer(ann).shown == "One two three"


async def test_a_stream_of_an_earlier_process_is_ended_and_changed(
    adapter: SlackAdapter, settings: SlackSettings, account: Account, ann: User, here: Address
) -> None:
    sent = await adapter.send(here, growing("One "))
    later = SlackAdapter(AccountName("helper"), settings, account.kit)
    await later.open()
    await later.edit(here, sent, growing("Once more"))
    await later.edit(here, sent, saying("Once more, whole"))
    await later.close()
    assert [one.shown for one in ann.dm.shown() if one.is_from_bot] == ["Once more, whole"]


async def test_an_addition_in_doubt_is_not_made_twice(
    adapter: SlackAdapter, server: FakeSlack, ann: User, here: Address
) -> None:
    sent = await adapter.send(here, growing("One "))
    server.faults.add(Drop(), path="appendStream", times=1)
    with pytest.raises(SendUncertain):
        await adapter.edit(here, sent, growing("One two "))
    await adapter.edit(here, sent, growing("One two three"))
    assert answer(ann).shown == "One two three"
    await adapter.edit(here, sent, saying("One two three"))
    assert answer(ann).shown == "One two three"


async def test_an_end_in_doubt_is_mended(
    adapter: SlackAdapter, server: FakeSlack, ann: User, here: Address
) -> None:
    sent = await adapter.send(here, growing("One "))
    server.faults.add(Drop(), path="stopStream", times=1)
    with pytest.raises(SendUncertain):
        await adapter.edit(here, sent, saying("One two"))
    await adapter.edit(here, sent, saying("One two"))
    assert answer(ann).shown == "One two"


async def test_where_streams_are_too_many_the_message_grows_by_edits(
    adapter: SlackAdapter, server: FakeSlack, ann: User, here: Address
) -> None:
    server.faults.add(RateLimit(30), path="startStream")
    sent = await adapter.send(here, growing("", tasks=(task(TaskState.RUNNING),)))
    assert answer(ann).labels == ["Stop"]
    await adapter.edit(here, sent, saying("Done."))
    assert answer(ann).shown == "Done."
    await adapter.send(here, growing("again"))
    assert len(server.calls("chat.startStream")) == 1


async def test_slacks_own_stop_is_there_while_an_agent_works(
    adapter: SlackAdapter, server: FakeSlack, account: Account, ann: User
) -> None:
    async with account.receiving(adapter):
        await connected(server)
        ann.writes("hi")
        await account.gate.until(lambda gate: len(gate.messages) == 1)
        here = account.gate.messages[0].address
        thread = here.place.anchor or ""
        sent = await adapter.send(here, growing("One "))
        assert ann.dm.can_be_stopped(thread)
        ann.presses_stop(thread)
        await account.gate.until(lambda gate: len(gate.messages) == 2)
        stopped = account.gate.messages[1]
        assert (stopped.text, stopped.pressed_on) == ("/stop", sent)
        assert stopped.address == here
        await adapter.edit(here, sent, saying("One (stopped)"))
        assert answer(ann).shown == "One (stopped)"
        assert not ann.dm.can_be_stopped(thread)


async def test_a_channel_is_told_for_whom_the_stream_is(
    adapter: SlackAdapter, server: FakeSlack, ann: User
) -> None:
    team = server.channel("team", [ann])
    question = ann.writes(f"{server.mention} hi", place=team)
    sent = await adapter.send(at(team, question.ts), growing("Hello"))
    [message] = team.streaming()
    assert message.stream is not None
    assert message.stream.recipient == ("U0ANN", "T0TEAM")
    await adapter.edit(at(team, question.ts), sent, saying("Hello Ann"))
    assert team.bot_texts(question.ts) == ["Hello Ann"]


async def test_where_there_is_no_thread_nothing_streams(
    adapter: SlackAdapter, server: FakeSlack, ann: User
) -> None:
    assert not adapter.streams_in(at(ann.dm).place)
    sent = await adapter.send(at(ann.dm), growing("Hel"))
    assert ann.dm.shown()[-1].labels == ["Stop"]
    await adapter.edit(at(ann.dm), sent, saying("Hello"))
    assert ann.dm.bot_texts() == ["Hello"]
    assert ann.dm.shown()[-1].labels == []
    assert not server.calls("chat.startStream")


async def test_streaming_can_be_switched_off(
    server: FakeSlack, settings: SlackSettings, account: Account, here: Address
) -> None:
    plain = SlackAdapter(
        AccountName("helper"), settings.model_copy(update={"streaming": False}), account.kit
    )
    assert not plain.streams_in(here.place)
    await plain.open()
    await plain.send(here, growing("Hel"))
    await plain.close()
    assert not server.calls("chat.startStream")


async def test_r7_a_stream_that_may_have_begun_is_found(
    adapter: SlackAdapter, server: FakeSlack, clock: FakeClock, ann: User, here: Address
) -> None:
    ended = await adapter.send(here, OutgoingMessage("out_0", "earlier"))
    await clock.advance(60)
    since = clock.now()
    server.faults.add(Drop(), path="startStream", times=1)
    with pytest.raises(SendUncertain):
        await adapter.send(here, growing("One"))
    found = await adapter.find_sent(here, growing("One"), since)
    assert found == MessageId(f"{ann.dm.id}:{answer(ann).ts}")
    assert found != ended
    await adapter.edit(here, found, saying("One two"))
    assert [one.shown for one in ann.dm.shown() if one.is_from_bot] == ["earlier", "One two"]
