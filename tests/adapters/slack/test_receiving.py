"""What comes by socket: kept once, in order, and answered where Slack waits for a word."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from adapters.slack.adapter import SlackAdapter
from adapters.slack.settings import SlackSettings
from gateway.ids import AccountName
from gateway.messages import Choice, Inbound, Message, Origin, OutgoingMessage, Receipt
from tests.fakes.account import Account
from tests.fakes.clock import FakeClock
from tests.fakes.faults import Answer, Hold
from tests.fakes.slack import Conversation, FakeSlack, User
from tests.fakes.slack_address import at, connected

QUESTION = (Choice("Yes", "approve:1"), Choice("No", "deny:1"))


@pytest.fixture
async def running(
    adapter: SlackAdapter, server: FakeSlack, account: Account
) -> AsyncIterator[SlackAdapter]:
    async with account.receiving(adapter):
        await connected(server)
        yield adapter


@pytest.fixture
def team(server: FakeSlack, ann: User) -> Conversation:
    return server.channel("team", [ann])


async def until_told(server: FakeSlack) -> None:
    """Wait until the app has acknowledged all that it was told."""
    await server.until(lambda server: not server.pending)


async def heard(account: Account, count: int) -> list[Message]:
    await account.gate.until(lambda gate: len(gate.messages) == count)
    return account.gate.messages


@pytest.mark.usefixtures("running")
async def test_a11_n14_a_mention_is_one_message(
    server: FakeSlack, account: Account, ann: User, team: Conversation
) -> None:
    question = ann.writes(f"{server.mention} what is up?", place=team)
    await until_told(server)
    [message] = account.gate.messages
    assert message.text == "what is up?"
    assert message.sender_name == "Ann"
    assert message.address.place.thread == question.ts
    assert {one.event["type"] for one in server.deliveries} == {"message", "app_mention"}


@pytest.mark.threat("T3")
@pytest.mark.usefixtures("running")
async def test_t3_our_own_words_are_not_heard_and_other_bots_are_told_as_such(
    running: SlackAdapter, server: FakeSlack, account: Account, team: Conversation
) -> None:
    await running.send(at(team), OutgoingMessage("out_1", "hello"))
    server.bot("CI").writes(f"{server.mention} build failed", team)
    await until_told(server)
    [message] = account.gate.messages
    assert message.is_from_bot


@pytest.mark.threat("T52")
@pytest.mark.usefixtures("running")
async def test_t52_what_is_delivered_twice_is_kept_once(
    server: FakeSlack, account: Account, ann: User
) -> None:
    ann.writes("hello")
    await until_told(server)
    server.world.deliveries.again(server.deliveries[0])
    ann.writes("more")
    await until_told(server)
    assert account.gate.texts == ["hello", "more"]


@pytest.mark.usefixtures("running")
async def test_a_message_is_acknowledged_only_once_it_is_kept(
    server: FakeSlack, account: Account, ann: User
) -> None:
    account.gate.open.clear()
    ann.writes("hello")
    await account.gate.until(lambda gate: gate.attempts == 1)
    assert server.sockets.acknowledgements == []
    account.gate.open.set()
    await until_told(server)
    assert len(server.sockets.acknowledgements) == 1


@pytest.mark.usefixtures("running")
async def test_r1_what_cannot_be_kept_is_not_acknowledged_and_found_again(
    server: FakeSlack, account: Account, clock: FakeClock, ann: User
) -> None:
    ann.writes("first")
    await until_told(server)
    account.gate.busy_for = [30.0]
    ann.writes("precious")
    await account.gate.until(lambda gate: gate.attempts == 2)
    await account.gate.until(lambda gate: gate.texts == ["first", "precious"])
    assert len(server.sockets.acknowledgements) == 1
    await clock.advance(5)
    await until_told(server)
    assert account.gate.texts == ["first", "precious"]


@pytest.mark.promise("R1")
async def test_r1_an_accident_in_keeping_is_not_taken_for_a_malformed_event(
    adapter: SlackAdapter, server: FakeSlack, account: Account, clock: FakeClock, ann: User
) -> None:
    accidents, happened = [KeyError("a fault of ours")], asyncio.Event()

    async def deliver(inbound: Inbound) -> Receipt:
        if accidents:
            happened.set()
            raise accidents.pop()
        return await account.gate(inbound)

    async with asyncio.TaskGroup() as group:
        running = group.create_task(adapter.run(deliver))
        await connected(server)
        ann.writes("precious")
        await happened.wait()
        await clock.advance(5)
        await heard(account, 1)
        happened.clear()
        accidents.append(KeyError("another"))
        server.sockets.drop()  # so that the histories are read
        await account.health.until(lambda health: not health.is_alive)
        await clock.advance(2)
        await happened.wait()
        await server.until(lambda server: bool(server.sockets.connections))
        ann.writes("more")
        await heard(account, 2)
        running.cancel()


@pytest.mark.usefixtures("running")
async def test_an_edit_and_a_deletion_are_told(
    server: FakeSlack, account: Account, ann: User
) -> None:
    message = ann.writes("helo")
    ann.edits(message, "hello")
    ann.deletes(message)
    await until_told(server)
    [first, second] = account.gate.messages
    assert first.message_id == second.message_id
    assert (first.text, second.text) == ("helo", "hello")
    assert first.event_key != second.event_key
    assert account.gate.deleted == [first.message_id]


@pytest.mark.usefixtures("running")
async def test_a_thread_in_which_the_bot_answers_is_followed(
    running: SlackAdapter, server: FakeSlack, account: Account, ann: User, team: Conversation
) -> None:
    root = ann.writes("talk among ourselves", place=team)
    ann.writes("still so", place=team, thread=root.ts)
    await until_told(server)
    await running.send(at(team, root.ts), OutgoingMessage("out_1", "May I?"))
    ann.writes("go on", place=team, thread=root.ts)
    mentioned = ann.writes(f"{server.mention} hi", place=team)
    ann.writes("and?", place=team, thread=mentioned.ts)
    await until_told(server)
    assert [(one.text, one.is_addressed) for one in account.gate.messages] == [
        ("talk among ourselves", False),
        ("still so", False),
        ("go on", True),
        ("hi", True),
        ("and?", True),
    ]


@pytest.mark.usefixtures("running")
async def test_l7_files_that_no_message_tells_of_are_one_message(
    server: FakeSlack, account: Account, clock: FakeClock, ann: User
) -> None:
    for thread in (None, ann.writes("a root").ts):
        files = {"a.txt": b"a", "b.txt": b"b"}
        message = ann.sends(files, "look", thread=thread, only_file_events=True)
        await clock.until_sleeping(4)
        await clock.advance(1.1)
        await until_told(server)
        told = account.gate.messages[-1]
        assert told.message_id == f"{ann.dm.id}:{message.ts}"
        assert [one.name for one in told.attachments] == ["a.txt", "b.txt"]
        assert told.text == "look"
    assert len(account.gate.messages) == 3


@pytest.mark.usefixtures("running")
async def test_a_file_of_another_workspace_is_asked_for(
    server: FakeSlack, account: Account, clock: FakeClock, ann: User
) -> None:
    ann.sends({"plan.pdf": b"%PDF"}, "see", needs_info=True)
    [message] = await heard(account, 1)
    [file] = message.attachments
    assert (file.name, file.mime, file.size) == ("plan.pdf", "application/pdf", 4)
    await clock.advance(1.1)
    await until_told(server)


async def test_a_press_says_its_value_and_settles_the_question(
    running: SlackAdapter, server: FakeSlack, account: Account, ann: User
) -> None:
    sent = await running.send(at(ann.dm), OutgoingMessage("out_1", "Really?", choices=QUESTION))
    ann.presses("Yes")
    [message] = await heard(account, 1)
    assert (message.text, message.origin) == ("approve:1", Origin.PRESSED)
    assert message.pressed_on == sent
    await ann.dm.until(lambda shown: shown[-1].labels == [])
    assert ann.dm.bot_texts() == ["Really?\n✓ Yes — Ann"]
    await until_told(server)


@pytest.mark.parametrize("error", ["msg_too_long", "invalid_blocks"])
async def test_l28_a_question_of_any_length_is_settled(
    running: SlackAdapter, server: FakeSlack, ann: User, error: str
) -> None:
    await running.send(at(ann.dm), OutgoingMessage("out_1", "word " * 2000, choices=QUESTION))
    server.faults.add(Answer(200, {"ok": False, "error": error}), path="chat.update", times=1)
    ann.presses("No")
    shown = await ann.dm.until(lambda shown: shown[-1].labels == [])
    assert shown[-1].shown.endswith("✓ No — Ann")


async def test_a_press_on_a_growing_answer_leaves_it_to_its_next_edit(
    running: SlackAdapter, server: FakeSlack, account: Account, ann: User
) -> None:
    growing = OutgoingMessage("out_1", "One…", choices=QUESTION, is_growing=True)
    await running.send(at(ann.dm), growing)
    ann.presses("Yes")
    await heard(account, 1)
    await until_told(server)
    assert not server.calls("chat.update")


@pytest.mark.threat("T17")
async def test_t17_why_a_press_is_not_taken_is_told_to_the_presser_alone(
    running: SlackAdapter, server: FakeSlack, account: Account, ann: User, team: Conversation
) -> None:
    eve = server.user("U0EVE", "Eve")
    team.members.add(eve.id)
    question = ann.writes(f"{server.mention} may I?", place=team)
    here = at(team, question.ts)
    await running.send(here, OutgoingMessage("out_1", "Really?", choices=QUESTION))
    account.gate.receipt = Receipt(is_taken=False, words="This was asked of <somebody> else.")
    eve.presses("Yes", place=team)
    await team.watch.until(lambda: bool(team.ephemeral), timeout=5, now=lambda: team.ephemeral)
    assert eve.whispers(team) == ["This was asked of <somebody> else."]
    assert team.ephemeral[0].thread_ts == question.ts
    assert ann.whispers(team) == []
    assert team.shown()[-1].labels == ["Yes", "No"]


@pytest.mark.usefixtures("running")
async def test_a_command_is_acknowledged_and_answered_as_a_message(
    server: FakeSlack, account: Account, ann: User, team: Conversation
) -> None:
    told = ann.commands("/parley", "new", place=team)
    [message] = await heard(account, 1)
    assert (message.text, message.origin) == ("/new", Origin.INVOKED)
    await until_told(server)
    assert told.is_acknowledged
    assert not told.answer
    account.gate.receipt = Receipt(is_taken=False, words="Not here.")
    refused = ann.commands("/parley", "what is up?")
    await until_told(server)
    assert refused.is_acknowledged
    assert ann.whispers() == ["Not here."]


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("kind", ["im", "mpim", "group", "channel"])
async def test_a_command_where_no_answer_could_be_posted_is_not_taken(
    server: FakeSlack, account: Account, ann: User, kind: str
) -> None:
    """Slack offers commands everywhere, also in direct messages between two people."""
    server.user("U0BOB", "Bob")
    theirs = server.world.open(kind, [ann.id, "U0BOB"], name="" if kind == "im" else "theirs")
    theirs.has_bot = False
    ann.commands("/parley", "what is up?", place=theirs)
    await until_told(server)
    [told] = ann.whispers(theirs)
    assert told.startswith("I am not in this conversation")
    theirs.has_bot = True
    ann.commands("/parley", "and now?", place=theirs)
    assert [one.text for one in await heard(account, 1)] == ["and now?"]


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("trouble", [Answer(500), Answer(200, b'{"ok": true, "channel": 7}')])
async def test_a_command_is_taken_where_it_cannot_be_known_whether_the_bot_is_there(
    server: FakeSlack, account: Account, ann: User, trouble: Answer
) -> None:
    server.faults.add(trouble, path="conversations.info")
    ann.commands("/parley", "what is up?")
    assert [one.text for one in await heard(account, 1)] == ["what is up?"]


@pytest.mark.usefixtures("running")
async def test_a_command_that_cannot_be_kept_says_so(
    server: FakeSlack, account: Account, ann: User
) -> None:
    account.gate.busy_for = [30.0]
    ann.commands("/parley", "hello")
    await until_told(server)
    assert ann.whispers() == ["I cannot take this now. Please try again in a minute."]


@pytest.mark.usefixtures("running")
async def test_home_tells_what_the_app_is(server: FakeSlack, ann: User) -> None:
    ann.opens_home()
    await server.until(lambda _: ann.home is not None)
    told = str(ann.home)
    assert "Write to me under *Messages*" in told
    assert "connected" in told
    assert "with a space before it" in told
    assert "`/parley new`  Start afresh" in told
    assert "pair" not in told


@pytest.mark.usefixtures("running")
async def test_an_agent_suggests_what_to_say(server: FakeSlack, ann: User) -> None:
    ann.opens_home("messages")
    await server.until(lambda _: len(ann.dm.prompts) == 1)
    thread = ann.writes("New chat", subtype="assistant_app_thread")
    server.push({
        "type": "assistant_thread_started",
        "assistant_thread": {
            "user_id": ann.id,
            "context": {},
            "channel_id": ann.dm.id,
            "thread_ts": thread.ts,
        },
    })
    await server.until(lambda _: len(ann.dm.prompts) == 2)
    assert [one["message"] for one in ann.dm.prompts[1]["prompts"]] == ["/help", "/new"]
    ann.looks_at("C0DEV")
    await until_told(server)


@pytest.mark.usefixtures("running")
async def test_a_guest_who_presses_stop_is_the_same_person(
    running: SlackAdapter, server: FakeSlack, account: Account
) -> None:
    eve = server.user("U0EVE", "Eve", team="T0OTHER")
    shared = server.channel("shared", [eve])
    eve.writes(f"{server.mention} hi", place=shared)
    [message] = await heard(account, 1)
    assert message.address.external_user == "T0OTHER:U0EVE"
    growing = OutgoingMessage("out_1", "One", is_growing=True)
    await running.send(message.address, growing)
    eve.presses_stop(message.address.place.thread or "", place=shared)
    assert (await heard(account, 2))[1].address == message.address
    await running.send(message.address, growing)
    account.gate.receipt = Receipt(is_taken=False, words="Not yours.")
    eve.presses_stop(message.address.place.thread or "", place=shared)
    await server.until(lambda _: bool(eve.whispers(shared)))
    assert eve.whispers(shared) == ["Not yours."]


@pytest.mark.parametrize(
    "event",
    [
        {"type": "message"},
        {"type": "message", "channel": 5, "ts": "1.0"},
        {"type": "message", "channel": ["D1"], "ts": "1.0"},
        {"type": "message", "channel": "D1", "ts": "1.0", "user": "U1", "text": 7},
        {"type": "message", "channel": "D1", "ts": "soon", "user": "U1", "text": "x"},
        {"type": "message", "channel": "D1", "ts": "1.0", "user": "U1", "files": "none"},
        {"type": "message", "channel": "D1", "ts": "1.0", "user": "U1", "blocks": [1]},
        {"type": "app_mention", "channel": "C1"},
        {"type": "file_shared"},
        {"type": "app_home_opened", "tab": "home"},
        {"type": "assistant_thread_started"},
        {"type": "unheard_of"},
    ],
    ids=str,
)
@pytest.mark.usefixtures("running")
async def test_a_malformed_event_blocks_nothing(
    server: FakeSlack, account: Account, ann: User, event: dict[str, object]
) -> None:
    server.push(event)
    ann.writes("hello")
    await until_told(server)
    assert account.gate.texts == ["hello"]


async def test_an_order_is_kept_while_a_name_is_asked_for(
    running: SlackAdapter, server: FakeSlack, account: Account, ann: User
) -> None:
    gate = __import__("asyncio").Event()
    server.faults.add(Hold(gate), path="users.info", times=1)
    for text in ("one", "two"):
        ann.writes(text)
    await server.until(lambda server: bool(server.sockets.connections))
    gate.set()
    await until_told(server)
    assert account.gate.texts == ["one", "two"]
    assert running.name == "helper"


async def test_a_name_that_is_not_told_is_not_waited_for(
    running: SlackAdapter, server: FakeSlack, account: Account, ann: User
) -> None:
    server.world.scopes.discard("users:read")
    ann.writes("hello")
    ann.writes("again")
    await until_told(server)
    assert {one.sender_name for one in account.gate.messages} == {"U0ANN"}
    assert running.name == "helper"


async def test_a_plain_app_answers_flat(
    server: FakeSlack, settings: SlackSettings, account: Account, ann: User
) -> None:
    server.world.is_agent = False
    server.world.scopes.discard("assistant:write")
    plain = SlackAdapter(AccountName("helper"), settings, account.kit)
    await plain.open()
    async with account.receiving(plain):
        await connected(server)
        ann.writes("hello")
        [message] = await heard(account, 1)
        assert message.address.place.anchor is None
        ann.opens_home("messages")
        await until_told(server)
    await plain.close()
    assert not ann.dm.prompts
