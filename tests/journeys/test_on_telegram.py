"""What only Telegram has: drafts with a Stop button, edits, quotes, menus, ways to count."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.fakes.faults import Answer, Delay
from tests.fakes.model import Thought
from tests.fakes.telegram.text import piece
from tests.journeys.on_telegram import Telegram, TelegramPerson
from tests.journeys.platform import Person
from tests.journeys.world import World

everywhere = pytest.mark.parametrize(
    "platform", ["telegram", "telegram without drafts", "telegram group"], indirect=True
)


def sent(telegram: Telegram, person: TelegramPerson) -> tuple[int, int]:
    """Count a chat's sends and edits."""
    server = telegram.server
    sends = server.calls("sendMessage", person.chat)
    return len(sends), len(server.calls("editMessageText", person.chat))


async def previewed(person: Person, words: str) -> None:
    await person.until(lambda: person.preview().endswith(words))


async def polled(telegram: Telegram) -> None:
    """Wait until the bot has asked for updates once more."""
    polls = telegram.server.updates.polls
    await telegram.server.until(lambda it: it.updates.polls > polls)


async def test_lesson_9_an_answer_is_one_stub_and_one_edit(
    world: World, telegram: Telegram
) -> None:
    await world.start()
    ann = telegram.person("Ann")
    world.model.say("A whole sentence for you.")
    await ann.asks("hi", "for you.")
    await world.stop()
    assert sent(telegram, ann) == (1, 1)
    (message,) = (one for one in ann.chat.shown() if one.is_from_bot)
    assert message.earlier == ["A whole sentence for…"]
    assert not telegram.server.calls("deleteMessage")


@everywhere
async def test_lesson_9_10_a_streamed_answer_is_sent_once_and_then_edited(
    world: World, telegram: Telegram
) -> None:
    await world.start()
    ann = telegram.person("Ann")
    gates = [asyncio.Event() for _ in range(5)]
    pieces: list[str | asyncio.Event] = []
    for number, gate in enumerate(gates):
        pieces += [f"Part {number}. ", gate]
    world.model.say(*pieces, "The end.")
    ann.writes("hi")
    for number, gate in enumerate(gates):
        await previewed(ann, f"Part {number}.")
        gate.set()
    await ann.reads("The end.")
    await world.stop()
    sends, edits = sent(telegram, ann)
    assert sends == 1
    assert edits <= 7
    assert not telegram.server.calls("deleteMessage")
    assert ann.texts() == ["Part 0. Part 1. Part 2. Part 3. Part 4. The end."]


async def test_the_stop_button_of_a_draft_ends_the_answer(world: World, telegram: Telegram) -> None:
    await world.start()
    ann = telegram.person("Ann")
    world.model.say("Once upon ", asyncio.Event(), "a time.")
    ann.writes("Tell me a story")
    await ann.until(lambda: ann.preview() == "Once upon")
    ann.user.presses_stop()
    stopped = await ann.reads("Stopped.")
    assert stopped.text.startswith("Once upon")
    await ann.asks("still there?", "still there?")
    assert "Once upon" in world.model.asked[-1].prompt


@pytest.mark.parametrize("platform", ["telegram group"], indirect=True)
async def test_the_stop_button_of_a_growing_message_ends_the_answer(
    world: World, telegram: Telegram
) -> None:
    await world.start()
    ann = telegram.person("Ann")
    world.model.say("Once upon ", asyncio.Event(), "a time.")
    ann.writes("Tell me a story")
    await ann.until(lambda: ann.preview() == "Once upon")
    ann.presses("Stop")
    stopped = await ann.reads("Stopped.")
    assert stopped.text.startswith("Once upon")
    assert stopped.buttons == ()
    assert telegram.server.world.presses
    await telegram.server.until(
        lambda it: all(press.is_answered for press in it.world.presses.values())
    )


async def test_the_edit_of_a_waiting_message_is_what_is_answered(
    world: World, telegram: Telegram
) -> None:
    await world.start()
    ann = telegram.person("Ann")
    gate = asyncio.Event()
    world.model.say("One ", gate, "moment.")
    ann.writes("first")
    await world.model.until(lambda model: model.asked_count == 1)
    second = ann.writes("secnd")
    await world.until_waiting(2)
    ann.user.edits(second, "second, well written")
    await world.until_logged("message.accepted", 3)
    gate.set()
    await ann.reads("second, well written")
    await world.stop()
    assert world.model.asked_count == 2
    assert "secnd" not in world.model.asked[-1].prompt


async def test_the_edit_of_an_answered_message_is_not_answered_again(
    world: World, telegram: Telegram
) -> None:
    """L6: an edit is an update like any other."""
    await world.start()
    ann = telegram.person("Ann")
    first = ann.writes("first")
    await ann.reads("first")
    ann.user.edits(first, "changed")
    await world.until_logged("message.accepted", 2)
    await ann.asks("second", "second")
    await world.stop()
    assert ann.texts() == ["first", "second"]


@everywhere
async def test_a_reply_tells_the_model_what_it_answers(world: World, ann: Person) -> None:
    assert isinstance(ann, TelegramPerson)
    await world.start()
    world.model.say("Apples are red. Pears are green.")
    await ann.asks("Tell me of fruit", "green.")
    (answer,) = [one for one in ann.chat.shown() if one.is_from_bot]
    ann.writes("Why?", reply_to=answer, quote="Pears are green.")
    await ann.reads("Why?")
    asked = world.model.asked[-1].user_text
    assert "In answer to your message" in asked
    assert "> Pears are green." in asked
    assert "> Apples" not in asked


async def test_a_forwarded_message_is_told_as_such(world: World, telegram: Telegram) -> None:
    await world.start()
    ann = telegram.person("Ann")
    origin = {"type": "hidden_user", "sender_user_name": "Carl", "date": 1}
    ann.writes("Dinner at eight", forward_origin=origin)
    await ann.reads("Dinner at eight")
    assert "[Forwarded from Carl:]" in world.model.asked[-1].user_text


async def test_markdown_arrives_as_entities(world: World, telegram: Telegram) -> None:
    await world.start()
    ann = telegram.person("Ann")
    world.model.say("**Bold** 😀 `code` and [a link](https://example.org/_foo_/), done.")
    await ann.asks("hi", "done.")
    await world.stop()
    message = ann.chat.shown()[-1]
    assert message.text == "Bold 😀 code and a link, done."
    shown = [(one["type"], piece(message.text, one)) for one in message.entities]
    assert shown == [("bold", "Bold"), ("code", "code"), ("text_link", "a link")]


@pytest.mark.parametrize("platform", ["telegram", "telegram group"], indirect=True)
@pytest.mark.parametrize(
    "pieces",
    [[">"], ["```\n```"], ["> ", "quoted. ", "The end."], ["", "Words. The end."], [" \n"]],
    ids=repr,
)
async def test_n7_a2_l5_odd_beginnings_and_empty_answers_are_shown(
    world: World, ann: Person, pieces: list[str]
) -> None:
    await world.start()
    gate = asyncio.Event()
    world.model.say(pieces[0], gate, *pieces[1:], "")
    ann.writes("hi")
    await world.model.until(lambda model: model.asked_count == 1)
    await world.clock.sleep(2)
    gate.set()
    await world.until_logged("turn.finished")
    await world.stop()
    (text,) = ann.texts()
    assert text not in {"", "…"}


async def test_typing_is_shown_while_the_model_thinks_and_ends_with_the_answer(
    world: World, telegram: Telegram
) -> None:
    await world.start()
    ann = telegram.person("Ann")
    gate = asyncio.Event()
    world.model.say(gate, "Done thinking.")
    ann.writes("hi")
    await ann.until(lambda: len(ann.chat.typing) >= 3)
    gate.set()
    await ann.reads("Done thinking.")
    signs = len(ann.chat.typing)
    await world.clock.sleep(10)
    assert len(ann.chat.typing) == signs
    gaps = [b.at - a.at for a, b in zip(ann.chat.typing, ann.chat.typing[1:], strict=False)]
    assert all(gap >= 3.5 for gap in gaps)


@pytest.mark.parametrize("way_out", ["answer", "empty", "stop", "time", "failure", "outage"])
async def test_lesson_27_typing_ends_whatever_ends_the_turn(
    world: World, telegram: Telegram, way_out: str
) -> None:
    world.agent["chat_timeout"] = 30 if way_out == "time" else 600
    await world.start()
    ann = telegram.person("Ann")
    gate = asyncio.Event()
    world.model.say(gate, "" if way_out == "empty" else "Words.")
    ann.writes("hello")
    await ann.until(lambda: len(ann.chat.typing) > 0)
    turns = 1
    if way_out in {"failure", "outage", "stop"}:
        world.model.faults.add(Answer(401 if way_out == "failure" else 503))
        ann.writes("/stop" if way_out == "stop" else "and this?")
        turns = 2
    if way_out not in {"stop", "time"}:
        gate.set()
    await world.until_logged("turn.finished", turns)
    ended = world.clock.now()
    await world.stop()
    await world.clock.sleep(10)
    assert all(sign.at <= ended + 1 for sign in ann.chat.typing)


async def test_lesson_15_thoughts_are_not_shown(world: World, telegram: Telegram) -> None:
    await world.start()
    ann = telegram.person("Ann")
    gate = asyncio.Event()
    world.model.say(Thought("I think secretly."), gate, "Spoken aloud.")
    ann.writes("hi")
    await ann.until(ann.chat.is_typing)
    gate.set()
    await ann.reads("Spoken aloud.")
    await world.stop()
    assert ann.texts() == ["Spoken aloud."]
    assert not any("secretly" in text for draft in ann.chat.drafts for _, text in draft.texts)


async def test_commands_are_in_the_menus_of_their_places(world: World, telegram: Telegram) -> None:
    await world.start()
    await telegram.server.until(lambda it: len(it.world.commands) == 2)
    menus = {
        json.loads(scope)["type"]: [one["command"] for one in commands]
        for (scope, _), commands in telegram.server.world.commands.items()
    }
    assert "new" in menus["all_private_chats"]
    assert "stop" in menus["all_group_chats"]
    assert "new" not in menus["all_group_chats"]


async def test_lesson_1_what_was_written_while_it_was_down_is_answered_in_order(
    world: World, telegram: Telegram
) -> None:
    ann = telegram.person("Ann")
    for number in range(6):
        ann.writes(f"message {number}")
    await world.start()
    await ann.reads("message 5")
    await world.stop()
    assert ann.texts() == [f"message {number}" for number in range(6)]


async def test_r2_updates_delivered_again_and_again_are_answered_once(
    world: World, telegram: Telegram
) -> None:
    await world.start()
    ann = telegram.person("Ann")
    await ann.asks("one", "one")
    await ann.asks("two", "two")
    for _ in range(3):
        telegram.server.updates.redeliver(2)
        await polled(telegram)
    await ann.asks("three", "three")
    await world.stop()
    assert ann.texts() == ["one", "two", "three"]


async def test_malformed_updates_are_skipped(world: World, telegram: Telegram) -> None:
    await world.start()
    ann = telegram.person("Ann")
    deep: dict[str, object] = {}
    for _ in range(50):
        deep = {"chat": deep}
    bodies: list[object] = [{}, None, 7, [], {"chat": None}, {"chat": {"id": "x"}}, deep]
    for body in bodies:
        telegram.server.push({"message": body})
    telegram.server.push({"message": {"message_id": 1, "date": "soon", "chat": {"id": 1}}})
    telegram.server.push({"callback_query": {"id": "1"}})
    telegram.server.push({"edited_message": {"text": "\ud800"}})
    telegram.server.push({"message": {}, "callback_query": None})
    await ann.asks("still there?", "still there?")
    assert len(world.logged("update.skipped")) >= 8
    world.refusals.add("query is too old")


async def test_lone_surrogates_and_controls_are_no_trouble(
    world: World, telegram: Telegram
) -> None:
    await world.start()
    ann = telegram.person("Ann")
    world.model.say("Fine \x00with\x1b[2J me.")
    ann.user.tell(
        ann.chat,
        "message",
        {
            "message_id": 900,
            "date": 1,
            "chat": {"id": ann.chat.id, "type": "private", "first_name": "Ann"},
            "from": ann.user.payload,
            "text": "a \ud83d lone \x00 one",
        },
    )
    await ann.reads("me.")
    assert "\x1b" not in ann.texts()[-1]


async def test_a_person_who_blocked_the_bot_stops_nobody(world: World, telegram: Telegram) -> None:
    await world.start()
    ann, bob = telegram.person("Ann"), telegram.person("Bob")
    gate = asyncio.Event()
    world.model.say("For ", gate, "you.")
    ann.writes("hi")
    await ann.until(lambda: ann.preview() == "For")
    ann.user.blocks()
    gate.set()
    await bob.asks("and I?", "and I?")
    await world.until_waiting(0)
    assert (await world.parley("dead", "list")).out == "No message was given up.\n"
    ann.user.unblocks()
    asked = world.model.asked_count
    await ann.asks("/retry", "For you.")
    assert world.model.asked_count == asked
    await ann.asks("back again", "back again")
    world.refusals.add("bot was blocked")


async def test_n13_a_slow_acknowledgement_delays_no_answer(
    world: World, telegram: Telegram
) -> None:
    """A15 too: a slow typing call reorders nothing."""
    await world.start()
    ann = telegram.person("Ann")
    telegram.server.faults.add(Delay(15), path="sendChatAction")
    ann.writes("one")
    ann.writes("two")
    await ann.reads("two")
    await world.stop()
    assert ann.texts() == ["one", "two"]


async def test_refused_entities_cost_the_looks_and_not_the_words(
    world: World, telegram: Telegram
) -> None:
    await world.start()
    ann = telegram.person("Ann")
    telegram.server.faults.add(
        Answer(400, message="Bad Request: ENTITY_BOUNDS_INVALID"),
        path="editMessageText",
        when=lambda facts: "entities" in facts,
    )
    world.model.say("**Bold** words stay.")
    await ann.asks("hi", "words stay.")
    await world.stop()
    assert ann.texts() == ["Bold words stay."]


@pytest.mark.parametrize("platform", ["telegram without drafts"], indirect=True)
async def test_an_answer_deleted_while_it_grows_comes_in_a_new_message(
    world: World, telegram: Telegram
) -> None:
    await world.start()
    ann = telegram.person("Ann")
    gate = asyncio.Event()
    world.model.say("Half ", gate, "and whole.")
    ann.writes("hello")
    await ann.until(lambda: ann.preview() == "Half")
    (half,) = [one for one in ann.chat.shown() if one.is_from_bot]
    ann.user.deletes(half)
    gate.set()
    await ann.reads("Half and whole.")
    await world.stop()
    assert ann.texts() == ["Half and whole."]
    world.refusals.add("message to edit not found")


async def test_two_bots_of_one_person_answer_each_in_its_own_chat(
    world: World, telegram: Telegram, tmp_path: Path
) -> None:
    another = Telegram(world.clock, tmp_path)
    another.token = "654321:ANOTHER"
    async with another:
        world.config["agents"]["other"] = {**world.agent, "system_prompt": "You are the other."}
        entry = {**another.entry, "platform": "telegram", "agent": "other"}
        world.config["adapters"]["second"] = entry
        await world.start()
        await another.connected()
        ann, same = telegram.person("Ann"), another.person("Ann")
        ann.writes("to the one")
        same.writes("to the other")
        await ann.reads("to the one")
        await same.reads("to the other")
        heard = {one.user_text: "You are the other." in one.system for one in world.model.asked}
        assert heard == {"to the one": False, "to the other": True}
        await world.stop()
        assert (ann.texts(), same.texts()) == (["to the one"], ["to the other"])
        assert another.complaints() == []


async def test_a_group_that_removes_the_bot_amid_an_answer_stops_nobody(
    world: World, telegram: Telegram
) -> None:
    await world.start()
    user = telegram.new_user("Ann")
    team = telegram.server.supergroup("Team", [user])
    ann = TelegramPerson(telegram.server, user, team)
    alone = TelegramPerson(telegram.server, user, user.chat)
    gate = asyncio.Event()
    world.model.say("For ", gate, "the team.")
    ann.writes("hello")
    await ann.until(lambda: ann.preview() == "For")
    team.removes_bot(user)
    gate.set()
    await alone.asks("and I?", "and I?")
    await world.until_waiting(0)
    team.adds_bot(user)
    await ann.asks("back again", "back again")
    world.refusals.add("bot was kicked")
