"""Linking, parting and letting in, as people write and press it."""

import re
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from gateway.messages import Attachment, AttachmentKind, Origin, Place
from gateway.transcript import UserEntry
from tests.fakes.gateway import FakeGateway, Make, gateways
from tests.fakes.provider import FakeProvider, Gate, says

ACCESS = {"direct_messages": "pairing", "groups": "open", "owners": ["fake:owner"]}
CODE = re.compile(r"`(?:/link )?([2-9A-HJ-NP-Z]{8})`")
PHOTO = Attachment(AttachmentKind.FILE, "the file", "notes.txt", "text/plain", 8)


@pytest.fixture
async def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    async with gateways(tmp_path, monkeypatch) as made:
        yield partial(made, access={**ACCESS, "allowlist": ["fake:ann", "fake:pad", "fake:mal"]})


def code_of(served: FakeGateway, user: str) -> str:
    found = [match[1] for text in served.texts(user) for match in CODE.finditer(text)]
    return found[-1]


async def asked(served: FakeGateway, here: str = "ann", there: str = "pad") -> None:
    """Bring a link to where the first account is asked."""
    await served.asks("/link", "good for ten minutes", here)
    await served.asks(f"/link {code_of(served, here)}", "You are about to link", there)
    await served.presses("Yes, link", there)
    await served.reads("wants to be linked", here)


async def link(served: FakeGateway, here: str = "ann", there: str = "pad") -> None:
    await asked(served, here, there)
    await served.presses("Yes, link", here)
    await served.reads("from your next message on", here)
    await served.reads("was linked with", there)


def button(served: FakeGateway, user: str, label: str) -> tuple[str, str]:
    """Return the message and the value of a button that somebody is shown."""
    return next(
        (message_id, choice.value)
        for message_id, shown in served.bot.messages.items()
        for choice in shown.choices
        if shown.where[0] == user and choice.label == label
    )


async def test_both_are_asked_with_all_that_they_have_to_know(make: Make) -> None:
    served = make()
    async with served.running():
        await asked(served)
        for user, other in (("ann", "fake:pad"), ("pad", "fake:ann")):
            told = next(text for text in served.texts(user) if "one person to me" in text)
            assert f"Ann (`{other}`)" in told
            assert "What each may do stays its own, and so do secrets." in told
        shown = [one for one in served.bot.messages.values() if "wants to be linked" in one.text]
        labels = [choice.label for choice in shown[0].choices]
        assert labels == ["Yes, link", "Yes, go on with Fake", "No"]


async def test_the_other_conversation_goes_on_if_that_button_is_pressed(make: Make) -> None:
    served = make()
    async with served.running():
        await served.asks("here", user="ann")
        await served.asks("there", user="pad")
        await asked(served)
        await served.presses("Yes, go on with Fake", "ann")
        await served.reads("from your next message on", "ann")
        await served.asks("together", user="ann")
        assert served.model.requests[-1].entries[0] == UserEntry("there")


async def test_t17_a_button_of_anothers_does_nothing(make: Make) -> None:
    served = make()
    async with served.running():
        await asked(served)
        message_id, value = button(served, "ann", "Yes, link")
        pressed = {"origin": Origin.PRESSED, "pressed_on": message_id}
        await served.writes(value, "mal", **pressed)
        await served.writes(value, "mal")  # nor does writing what it says
        await served.reads("That question is settled", "mal")
        await served.writes(value, "pad")
        await served.passes(1)
        assert served.rows("select count(*) from audit where action = 'link.made'") == [(0,)]
        await served.clock.advance(601)
        await served.writes(value, "ann", **pressed)  # too late
        await served.reads("That question is settled", "ann")
        assert served.rows("select count(*) from identities where linked_at > 0") == [(0,)]


async def test_t9_in_a_group_nothing_is_told_and_a_code_is_burnt(make: Make) -> None:
    served = make()
    async with served.running():
        await served.asks("/link", "good for ten minutes", "ann")
        code = code_of(served, "ann")
        for text in (f"/link {code}", "/link AAAAAAAA"):
            before = len(served.texts("-1"))
            await served.writes(text, "mal", place=Place("-1"))
            await served.until(lambda before=before: len(served.texts("-1")) > before)  # type: ignore[misc]
            assert served.texts("-1")[-1].startswith("Codes are for direct messages only.")
        await served.reads("A code of yours was shown in a group", "ann")
        await served.asks(f"/link {code}", "wrong, used or expired", "pad")


async def test_r4_a_parting_that_is_asked_again_after_a_crash_is_told_as_done(make: Make) -> None:
    served = make()
    async with served.running():
        await link(served)
        for _ in range(2):
            await served.asks("/unlink fake:pad yes", "is unlinked.", "pad")
        await served.asks("/unlink", "There is no other account", "pad")


async def test_unlinking_asks_first_and_takes_numbers_and_ids(make: Make) -> None:
    served = make()
    async with served.running():
        await link(served)
        await served.asks("/linked", "1. Fake: Ann (`fake:ann`)", "ann")
        await served.asks("/unlink 7", "None of your accounts", "ann")
        await served.asks("/unlink fake:mal", "None of your accounts", "ann")
        await served.asks("/unlink 2", "Unlink Ann (`fake:pad`)?", "ann")
        assert "(this one)" in "".join(served.texts("ann"))
        await served.presses("Yes, unlink", "ann")
        await served.reads("is unlinked.", "ann")
        await served.reads("I no longer know here", "pad")
        await served.asks("/linked", "There is no other account", "ann")
        await served.asks("/unlink", "There is no other account", "pad")


async def test_t12_an_answer_that_is_being_written_ends_when_its_asker_is_parted(
    make: Make,
) -> None:
    gate = Gate()
    served = make(model=FakeProvider([gate, *says("A secret.")], otherwise=lambda _: says("Well!")))
    async with served.running():
        await link(served)
        await served.writes("tell me", "pad")
        await served.until(gate.reached.is_set)
        await served.asks("/unlink fake:pad yes", "is unlinked", "ann")
        await served.reads("Stopped.", "pad")
        gate.open()
        await served.asks("and now?", user="pad")
        assert "A secret." not in "".join(served.texts("pad"))


async def test_stop_reaches_an_answer_that_began_before_the_link(make: Make) -> None:
    gate = Gate()
    served = make(model=FakeProvider([gate, *says("Never.")], otherwise=lambda _: says("Well!")))
    async with served.running():
        await asked(served)
        await served.writes("tell me", "pad")
        await served.until(gate.reached.is_set)
        await served.presses("Yes, link", "ann")
        await served.reads("from your next message on", "ann")
        await served.writes("/stop", "ann")
        await served.reads("Stopped.", "pad")
        await served.asks("go on", user="ann")


async def test_files_are_shared_and_usage_is_counted_together(make: Make) -> None:
    served = make()
    async with served.running():
        await served.asks("look", user="pad", attachments=(PHOTO,))
        await served.asks("hello", user="ann")
        await link(served)
        await served.asks("/usage", "| big | 2 |", "ann")
        person = served.rows("select person from identities where external_user = 'ann'")[0][0]
        users = served.settings.data_dir / "workspaces/main/users"
        copies = list((users / person / "assets").iterdir())
        assert [copy.read_text() for copy in copies] == ["the file"]


async def test_sessions_are_listed_and_taken_up_by_number(make: Make) -> None:
    served = make()
    async with served.running():
        await served.asks("one", user="ann")
        await served.asks("/new", "A new conversation.", "ann")
        await served.passes(60)
        await served.asks("two", user="ann")
        await served.asks("/sessions", "1. two", "ann")
        await served.asks("/resume", "Which one?", "ann")
        await served.asks("/resume 3", "Which one?", "ann")
        await served.asks("/resume 1", "That is the one we are in.", "ann")
        await served.asks("/resume 2", "We go on with: one", "ann")
        await served.asks("three", user="ann")
        told = [entry for entry in served.model.requests[-1].entries if type(entry) is UserEntry]
        assert told == [UserEntry("one"), UserEntry("three")]
        await served.asks("/sessions", "We have had no conversation yet.", "pad")


# Letting in.


async def test_the_owner_lets_a_stranger_in_by_a_button_that_outlives_a_restart(
    make: Make,
) -> None:
    served = make()
    async with served.running():
        await served.asks("hello", user="owner")
        await served.writes("let me in", "bob")
        await served.reads("asks to be let in", "owner")
        message_id, value = button(served, "owner", "Let in")
        pressed = {"origin": Origin.PRESSED, "pressed_on": message_id}
        await served.writes(value, "ann", **pressed)
        await served.writes(value, "ann")
        await served.reads("/pair is not for you here.", "ann")
        await served.restart()
        await served.passes(7200)
        await served.presses("Let in", "owner")
        await served.reads("You have been let in.", "bob")
        await served.writes(value, "owner", **pressed)
        await served.reads("`fake:bob` may talk to me now.", "owner")
        await served.asks("hello", user="bob")
    assert served.rows("select actor from audit where action = 'pairing.admitted'") == [
        ("fake:owner",)
    ]


async def test_an_owner_who_comes_late_is_told_who_asked_meanwhile(make: Make) -> None:
    served = make()
    async with served.running():
        for stranger in ("bob", "eve"):
            await served.writes("let me in", stranger)
            await served.reads("good for an hour", stranger)
        await served.asks("/pair", "2. Ann (`fake:eve`)", "owner")
        await served.presses("Let in 2", "owner")
        await served.reads("You have been let in.", "eve")
        await served.asks("/pair", "1. Ann (`fake:bob`)\n\nWrite `/pair CODE`", "owner")


async def test_the_owner_refuses_a_stranger(make: Make) -> None:
    served = make()
    async with served.running():
        await served.asks("hello", user="owner")
        await served.writes("let me in", "bob")
        await served.reads("asks to be let in", "owner")
        await served.presses("Refuse", "owner")
        await served.reads("Refused.", "owner")
        await served.asks(f"/pair {code_of(served, 'bob')}", "wrong, used or expired", "owner")


async def test_t4_the_owner_lets_in_by_code_with_few_tries(make: Make) -> None:
    served = make()
    async with served.running():
        await served.writes("let me in", "bob")
        await served.reads("good for an hour", "bob")
        await served.asks("/pair", "Write `/pair CODE`", "owner")
        for _ in range(5):
            await served.asks("/pair AAAAAAAA", "wrong, used or expired", "owner")
        await served.asks(f"/pair {code_of(served, 'bob')}", "Too many wrong codes", "owner")
        await served.passes(601)
        await served.asks(f"/pair {code_of(served, 'bob')}", "may talk to me now.", "owner")
        await served.reads("You have been let in.", "bob")
        await served.asks("hello", user="bob")


async def test_an_owner_whom_the_bot_has_not_met_is_not_told(make: Make) -> None:
    served = make()
    async with served.running():
        await served.writes("let me in", "bob")
        await served.reads("good for an hour", "bob")
        # Bob's own is forgotten once it is sent.
        await served.until(lambda: served.rows("select count(*) from announcements") == [(0,)])
        assert served.texts("owner") == []


async def test_t67_owners_are_asked_about_ten_strangers_an_hour(make: Make) -> None:
    served = make()
    async with served.running():
        await served.asks("hello", user="owner")
        for number in range(12):
            await served.writes("let me in", f"s{number}")
        await served.reads("good for an hour", "s11")
        await served.passes(60)
        assert sum("asks to be let in" in text for text in served.texts("owner")) == 10
