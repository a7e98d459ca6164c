"""What only Slack has: streams with tasks, sessions with their Stop, a Home tab, envelopes."""

import asyncio

import pytest

from gateway.inbound.announcing import MISSED_WORDS
from tests.fakes.model import call
from tests.fakes.slack import Delivery, Message
from tests.journeys.on_slack import ChannelPerson, Slack, SlackChannel, SlackPerson
from tests.journeys.platform import PATIENCE
from tests.journeys.world import World

in_a_channel = pytest.mark.parametrize("platform", ["slack channel"], indirect=True)
where_it_streams = pytest.mark.parametrize("platform", ["slack", "slack channel"], indirect=True)
everywhere = pytest.mark.parametrize(
    "platform", ["slack", "slack plain", "slack channel", "slack http"], indirect=True
)


async def previewed(person: SlackPerson, words: str) -> None:
    await person.until(lambda: person.preview().endswith(words))


async def over(slack: Slack, told: Delivery) -> None:
    await slack.server.until(lambda _: told.is_over, timeout=PATIENCE)


def answers(person: SlackPerson) -> list[Message]:
    return [one for one in person.place.shown() if one.is_from_bot]


def elsewhere(slack: Slack, name: str) -> ChannelPerson:
    """Meet somebody who begins a thread of their own in the channel."""
    assert isinstance(slack, SlackChannel)
    slack.thread = None
    return slack.person(name)  # type: ignore[return-value] # a channel's people are such


@where_it_streams
async def test_an_answer_streams_with_its_tools_as_tasks(world: World, slack: Slack) -> None:
    await world.start()
    ann = slack.person("Ann")
    gate = asyncio.Event()
    world.model.say("I look at the clock. ", call("now"))
    world.model.say("It is ", gate, "late.")
    ann.writes("What time is it?")
    await previewed(ann, "It is")
    (message,) = ann.place.streaming()
    (task,) = message.tasks
    assert (task.title.partition(":")[0], task.status) == ("now", "complete")
    gate.set()
    await ann.reads("late.")
    await world.stop()
    assert answers(ann) == [message]
    assert message.thread_ts is not None
    assert message.metadata is not None
    assert len(slack.server.calls("chat.startStream")) == 1
    assert not slack.server.calls("chat.postMessage")
    assert not slack.server.calls("chat.update")
    if ann.place.kind == "channel":
        assert message.stream is not None
        assert message.stream.recipient == (ann.user.id, ann.user.team)


async def test_slacks_own_stop_ends_the_answer(world: World, slack: Slack) -> None:
    await world.start()
    ann = slack.person("Ann")
    world.model.say("Once upon ", asyncio.Event(), "a time.")
    ann.writes("Tell me a story")
    await previewed(ann, "Once upon")
    thread = ann.thread
    assert thread is not None
    await ann.until(lambda: ann.place.can_be_stopped(thread))
    ann.presses("Stop")
    stopped = await ann.reads("Stopped.")
    assert stopped.text.startswith("Once upon")
    await world.until_waiting(0)
    await ann.until(lambda: not ann.place.can_be_stopped(thread))
    assert not any(one.is_broken for one in answers(ann))
    await ann.asks("still there?", "still there?")
    world.refusals.add("message_not_in_streaming_state")  # Slack itself has ended the stream


@in_a_channel
async def test_each_thread_of_a_channel_has_a_history_of_its_own(
    world: World, slack: Slack
) -> None:
    await world.start()
    ann = slack.person("Ann")
    await ann.asks("remember the milk", "remember the milk")
    milk = slack.thread
    bob = elsewhere(slack, "Bob")
    await bob.asks("remember the eggs", "remember the eggs")
    eggs = slack.thread
    assert milk != eggs
    bob.user.writes("and now?", place=bob.place, thread=eggs)  # it need not be named there
    await bob.reads("and now?", after=1)
    prompt = world.model.asked[-1].prompt
    assert "eggs" in prompt
    assert "milk" not in prompt


@in_a_channel
async def test_n11_the_bot_is_silent_unless_it_is_meant(world: World, slack: Slack) -> None:
    await world.start()
    ann = slack.person("Ann")
    ann.user.writes("hello all", place=ann.place)
    ann.user.writes("<@U0BOB> hello", place=ann.place)
    other = slack.server.bot("Other")
    other.writes(f"{slack.server.mention} hello", ann.place)
    await ann.asks("now you", "now you")
    await world.stop()
    assert world.model.asked_count == 1
    assert len(answers(ann)) == 1


@in_a_channel
async def test_a_mention_is_told_by_two_events_and_answered_once(
    world: World, slack: Slack
) -> None:
    """What is delivered again, under another envelope, is the same turn, too."""
    await world.start()
    ann = slack.person("Ann")
    await ann.asks("one", "one")
    told = [one for one in slack.server.deliveries if one.event.get("text", "").endswith("one")]
    assert {one.event["type"] for one in told} == {"message", "app_mention"}
    await slack.server.until(lambda _: all(one.is_over for one in told))
    tried = [len(one.attempts) for one in told]
    for one in told:
        slack.server.world.deliveries.again(one)
        slack.server.world.deliveries.again(one)
    await slack.server.until(lambda _: [len(one.attempts) - 2 for one in told] == tried)
    await ann.asks("two", "two")
    await world.stop()
    assert [text.partition(": ")[2] for text in ann.texts()] == ["one", "two"]
    assert world.model.asked_count == 2


@pytest.mark.parametrize("platform", ["slack", "slack plain"], indirect=True)
async def test_commands_are_named_as_slack_takes_them(world: World, slack: Slack) -> None:
    await world.start()
    ann = slack.person("Ann")
    ann.user.commands("/parley", "help")
    shown = await ann.reads("/parley new: Start a new conversation")
    assert " /new" not in shown.text
    ann.user.commands("/parley", "start")
    await ann.reads("/parley new starts afresh")


@in_a_channel
async def test_in_a_thread_commands_are_named_behind_the_apps_name(
    world: World, slack: Slack
) -> None:
    await world.start()
    ann = slack.person("Ann")
    shown = await ann.asks("/help", "/stop: ")
    assert "@parley /stop: " in shown.text


@pytest.mark.parametrize("platform", ["slack", "slack http"], indirect=True)
async def test_a_slash_command_is_acknowledged_and_answered(world: World, slack: Slack) -> None:
    await world.start()
    ann = slack.person("Ann")
    await over(slack, ann.user.commands("/parley", "whoami"))
    await ann.place.until(lambda shown: any("Role: owner" in one.shown for one in shown))
    assert ann.user.whispers() == []
    assert world.model.asked_count == 0


@in_a_channel
async def test_a_stranger_is_told_alone_that_a_command_is_not_for_them(
    world: World, slack: Slack
) -> None:
    world.config["access"]["groups"] = "off"
    await world.start()
    slack.person("Ann")
    mallory = slack.person("Mallory")
    await over(slack, mallory.user.commands("/parley", "status", place=mallory.place))
    assert mallory.user.whispers(mallory.place)
    await world.stop()
    assert answers(mallory) == []
    assert world.model.asked_count == 0


async def test_the_slash_command_stop_ends_the_answer(world: World, slack: Slack) -> None:
    await world.start()
    ann = slack.person("Ann")
    world.model.say("Once upon ", asyncio.Event(), "a time.")
    ann.writes("Tell me a story")
    await previewed(ann, "Once upon")
    await over(slack, ann.user.commands("/parley", "stop"))
    stopped = await ann.reads("Stopped.")
    assert stopped.text.startswith("Once upon")


@in_a_channel
async def test_buttons_are_for_who_was_asked(world: World, slack: Slack) -> None:
    world.agent["approvals"] = ["write_file"]
    await world.start()
    ann, bob = slack.person("Ann"), slack.person("Bob")
    world.model.say(call("write_file", path="a.txt", content="hello"))
    world.model.say("That is that.")
    ann.writes("write it down")
    await ann.reads("May I run write_file with this?")
    # By the time of this answer it is written down whose the buttons are.
    await bob.asks("/status", "Queue: ")
    bob.presses("Allow")
    await bob.until(lambda: bob.asides() == ["This was asked of somebody else."])
    assert ann.asides() == []
    ann.presses("Deny")
    await ann.reads("That is that.")


@everywhere
async def test_edits_and_deletions_of_waiting_messages_count(world: World, slack: Slack) -> None:
    await world.start()
    ann = slack.person("Ann")
    gate = asyncio.Event()
    world.model.say("One ", gate, "moment.")
    ann.writes("first")
    await world.model.until(lambda model: model.asked_count == 1)
    ann.writes("I regret this")
    await world.until_waiting(2)
    ann.takes_back()
    await world.until_waiting(1)
    ann.writes("secnd")
    await world.until_waiting(2)
    ann.edits("second, well written")
    # Told to the gateway in the order of the conversation: this one comes after the edit.
    ann.writes("third")
    await world.until_waiting(3)
    gate.set()
    await ann.reads("third")
    await world.stop()
    prompts = "".join(asked.prompt for asked in world.model.asked)
    assert "regret" not in prompts
    assert "secnd" not in prompts
    assert [asked.user_text.endswith("second, well written") for asked in world.model.asked] == [
        False,
        True,
        False,
    ]


async def test_home_and_the_messages_tab_tell_what_the_app_is(world: World, slack: Slack) -> None:
    await world.start()
    ann = slack.person("Ann")
    ann.user.opens_home()
    await slack.server.until(lambda _: ann.user.home is not None, timeout=PATIENCE)
    assert "/parley" in str(ann.user.home)
    ann.user.opens_home("messages")
    await slack.server.until(lambda _: bool(ann.place.prompts), timeout=PATIENCE)
    first = ann.place.prompts[-1]["prompts"][0]["message"]
    await ann.asks(first, first)


@where_it_streams
async def test_files_go_both_ways_in_the_thread(world: World, slack: Slack) -> None:
    await world.start()
    ann = slack.person("Ann")
    world.model.say(call("write_file", path="a.txt", content="hello"))
    world.model.say(call("send_file", path="a.txt", caption="For you"))
    world.model.say("There you are.")
    ann.sends("note.txt", b"what the note says", "Write me one, too")
    await ann.reads("There you are.")
    await ann.until(lambda: any(one.file == b"hello" for one in ann.sees()))
    await world.stop()
    assert "what the note says" in world.model.asked[0].prompt
    assert len({one.thread_ts for one in answers(ann)}) == 1


async def test_files_that_one_message_holds_are_one_turn(world: World, slack: Slack) -> None:
    """Of several files at once Slack may tell nothing but that they were shared."""
    await world.start()
    ann = slack.person("Ann")
    files = {f"note{number}.txt": f"note number {number}".encode() for number in range(4)}
    message = ann.user.sends(files, "What is in these?", only_file_events=True)
    await ann.place.until(
        lambda shown: any(one.is_from_bot and one.thread_ts == message.ts for one in shown),
        timeout=PATIENCE,
    )
    await world.until_waiting(0)
    await world.stop()
    (asked,) = world.model.asked
    assert all(f"note number {number}" in asked.prompt for number in range(4))


@everywhere
async def test_nobody_is_called_by_what_the_model_writes(world: World, slack: Slack) -> None:
    await world.start()
    ann = slack.person("Ann")
    world.model.say("Hello <!chan", "nel>, <!here>, ", f"<@{ann.user.id}>, ", "@everyone. Done.")
    await ann.asks("call them all", "Done.")
    await world.stop()
    assert slack.pings() == []
    assert slack.server.unfurls == []


@where_it_streams
async def test_the_status_line_ends_with_the_answer(world: World, slack: Slack) -> None:
    await world.start()
    ann = slack.person("Ann")
    gate = asyncio.Event()
    world.model.say(gate, "")
    root = ann.writes("hi")
    await ann.until(lambda: ann.place.status(root.ts) != "")
    gate.set()
    await world.until_logged("turn.finished")
    await ann.until(lambda: ann.place.status(root.ts) == "")


@everywhere
@pytest.mark.parametrize("speed", [10])  # as Slack's three seconds are counted
async def test_r8_what_was_written_while_it_was_down_is_answered_once_and_in_order(
    world: World, slack: Slack
) -> None:
    await world.start()
    ann = slack.person("Ann")
    await ann.asks("first", "first")
    await world.stop()
    meanwhile = [f"meanwhile {number}" for number in range(4)]
    for words in meanwhile:
        ann.writes(words)
    await world.start()
    ann.writes("and now")
    await ann.reads("and now")
    await world.restart()
    await ann.asks("last", "last")
    await world.stop()
    told = [text.rpartition(": ")[2] for text in ann.texts()]
    assert told == ["first", *meanwhile, "and now", "last"]


async def test_r8_what_is_older_than_catch_up_is_told_of_once(world: World, slack: Slack) -> None:
    world.config["adapters"]["slack"]["catch_up"] = 60
    await world.start()
    ann = slack.person("Ann")
    await ann.asks("first", "first")
    await world.stop()
    told = set(slack.server.world.subscriptions)
    slack.server.world.subscriptions.clear()  # by now Slack itself has given up to tell it
    ann.writes("long ago")
    slack.server.world.subscriptions |= told
    await world.clock.sleep(90)
    await world.start()
    await ann.reads(MISSED_WORDS)
    await world.restart()
    await ann.asks("and now", "and now")
    await world.stop()
    assert ann.texts() == ["first", MISSED_WORDS, "and now"]
