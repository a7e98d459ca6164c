"""What is kept of a person: theirs to have a copy of, and theirs to have erased."""

import io
import json
import re
import sqlite3
import zipfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from gateway import workspace
from gateway.contracts.privacy import Leftovers
from gateway.contracts.provider import ModelRequest
from gateway.errors import ProviderUnavailable
from gateway.ids import MessageId
from gateway.inbound.dispatch import OUTAGE_WORDS
from gateway.inbound.turn_files import TurnFiles
from gateway.messages import Address, Attachment, AttachmentKind, OutgoingFile, Place
from gateway.store.store import SqlStore
from gateway.transcript import UserEntry, entry_text, message_text
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import FakeAccount, FakeGateway, Make, gateways
from tests.fakes.provider import FakeProvider, Gate, Step, says

ANN, ANNS_NAME = "u4711", "Annemarie"
DAY = 86_400.0
GROUP = Place("-1")
PICTURE = Attachment(AttachmentKind.IMAGE, "bytes of mitzi", "mitzi.png", "image/png", 14)
STAYS = {"inbox.message_id", "inbox.event_key", "audit.facts", "audit.actor"}
"""Numbers by which repeats are known, and ids in the audit trail."""


@pytest.fixture
async def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    async with gateways(tmp_path, monkeypatch) as made:
        yield made


class FilingAccount(FakeAccount):
    """Keeps the files that it is given."""

    def __init__(self, clock: FakeClock, name: str) -> None:
        super().__init__(clock, name)
        self.received: dict[str, bytes] = {}

    @override
    async def send_files(
        self, to: Address, files: Sequence[OutgoingFile], key: str
    ) -> Sequence[MessageId]:
        self.received |= {file.name: file.path.read_bytes() for file in files}
        return await super().send_files(to, files, key)


def served_by(make: Make, *script: Step, **more: Any) -> FakeGateway:
    groups = {"fake:-1": {"answer": "mention", "context": 5}}
    access = {"direct_messages": "open", "groups": groups, "owners": ["fake:owner"]}
    return make(access=access, model=FakeProvider(*script, otherwise=echo), **more)


def echo(request: ModelRequest) -> Step:
    last = request.entries[-1]
    assert isinstance(last, UserEntry)
    return says(f"You said: {message_text(last.content)}")


async def ann_asks(served: FakeGateway, text: str, **more: Any) -> None:
    words = "You said" if not text.startswith("/") else ""
    await served.asks(text, words, ANN, sender_name=ANNS_NAME, **more)


async def said_in_group(served: FakeGateway, text: str, user: str = ANN, **more: Any) -> None:
    before = len(served.texts("-1"))
    name = ANNS_NAME if user == ANN else user.title()
    await served.writes(text, user, place=GROUP, sender_name=name, **more)
    if more.get("is_addressed", True):
        await served.until(lambda: any(text in one for one in served.texts("-1")[before:]))
        await served.idle()


async def a_full_life(served: FakeGateway) -> None:
    """Let Ann leave a trace wherever one can be left."""
    await ann_asks(served, "My cat is called MITZI.")
    await ann_asks(served, "This is MITZI:", attachments=(PICTURE,))
    await ann_asks(served, "/new")
    await ann_asks(served, "MITZI again.")
    await served.asks("/link", "good for ten minutes", ANN, sender_name=ANNS_NAME)
    await said_in_group(served, "the weather is fine", "bob")
    await said_in_group(served, "In the group: MITZI!")
    await said_in_group(served, "I whisper MITZI", is_addressed=False)
    await said_in_group(served, "what was that?", "bob")
    await said_in_group(served, "MITZI unheard", is_addressed=False)


def traces(served: FakeGateway, *wanted: str) -> set[str]:
    """Return the columns of the database in which any of these words stand."""
    connection = sqlite3.connect(served.settings.data_dir / "parley.db")
    named = "select name from sqlite_master where sql like 'CREATE TABLE%'"
    tables = [name for (name,) in connection.execute(named)]
    found = set()
    for table in tables:
        cursor = connection.execute(f'select * from "{table}"')
        names = [column[0] for column in cursor.description]
        for row in cursor:
            for name, value in zip(names, row, strict=True):
                if isinstance(value, str) and any(words in value for words in wanted):
                    found.add(f"{table}.{name}")
    connection.close()
    return found


def raw(served: FakeGateway) -> bytes:
    """Return what is on the disk, deleted or not."""
    files = [path for path in served.settings.data_dir.rglob("*") if path.is_file()]
    return b"".join(path.read_bytes() for path in files)


async def forgets(served: FakeGateway) -> None:
    """Let Ann say yes, and let the day pass."""
    await served.asks("/forget", "This erases", ANN, sender_name=ANNS_NAME)
    await served.presses("Yes, erase everything", ANN, sender_name=ANNS_NAME)
    await served.reads("Noted. On", ANN)
    await served.idle()
    await later(served, DAY)
    await served.until(lambda: not served.rows("select * from erasures"))
    await served.passes(1)


async def later(served: FakeGateway, seconds: float) -> None:
    """Start anew after a while: a clock that is moved stops at whatever happens meanwhile."""
    await served.stop()
    await served.clock.advance(seconds)
    await served.start()


async def test_everything_of_a_person_is_erased_and_nothing_of_anybody_else(make: Make) -> None:
    served = served_by(make)
    async with served.running():
        await served.asks("I am Bob, and I like HONEY.", "You said", "bob")
        await a_full_life(served)
        assert {"entries.body", "overheard.text", "inbox.message"} <= traces(served, "MITZI")
        spent = served.rows("select count(*), sum(input_tokens) from usage")
        await forgets(served)
        assert served.texts(ANN)[-1].startswith("As you asked, I now erase")
        assert traces(served, "MITZI", ANNS_NAME) == set()
        assert traces(served, ANN) <= STAYS
        assert served.rows("select count(*), sum(input_tokens) from usage") == spent
        await served.asks("What do I like?", "You said", "bob")
        assert "HONEY" in entry_text(served.model.requests[-1].entries[0])
        await said_in_group(served, "And the weather?", "bob")
        told = [entry_text(entry) for entry in served.model.requests[-1].entries]
        assert "the weather is fine" in "".join(told)
        assert "MITZI" not in "".join(told)
    on_disk = raw(served)
    assert b"HONEY" in on_disk
    assert b"MITZI" not in on_disk
    assert b"bytes of mitzi" not in on_disk


async def test_who_was_erased_is_a_stranger_with_an_empty_history(make: Make) -> None:
    served = served_by(make)
    async with served.running():
        await ann_asks(served, "My cat is called MITZI.")
        await forgets(served)
        await ann_asks(served, "Do you know my cat?")
        assert len(served.model.requests[-1].entries) == 1
        (address,) = served.rows(f"select address from identities where external_user = '{ANN}'")[0]
        assert address is not None, "it can be told something again"


async def test_until_it_is_due_it_can_be_taken_back(make: Make) -> None:
    served = served_by(make)
    async with served.running():
        await ann_asks(served, "My cat is called MITZI.")
        await served.asks("/forget", "This erases", ANN)
        await served.presses("Yes, erase everything", ANN)
        await served.reads("Noted. On", ANN)
        await later(served, DAY - 120)
        await served.asks("/forget", "Noted. On", ANN)
        await served.asks("/forget undo", "nothing is erased", ANN)
        await later(served, DAY)
        await ann_asks(served, "Still there?")
        assert "MITZI" in entry_text(served.model.requests[-1].entries[0])
        await served.asks("/forget undo", "Nothing is waiting", ANN)
    assert [row[0] for row in served.rows("select action from audit")] == [
        "erasure.asked",
        "erasure.taken_back",
    ]


async def test_a_restart_forgets_no_erasure(make: Make) -> None:
    served = served_by(make)
    async with served.running():
        await ann_asks(served, "My cat is called MITZI.")
        await served.asks("/forget everything yes", "Noted", ANN)
        await later(served, DAY)
        await served.until(lambda: not served.rows("select * from erasures"))
        assert traces(served, "MITZI") == set()


async def test_what_is_at_work_ends_first_and_what_waits_is_dropped(make: Make) -> None:
    gate = Gate()
    served = served_by(make, [gate, *says("At last.")], retention={"forget_after": 600})
    async with served.running():
        await served.writes("in the group: MITZI", ANN, place=GROUP)
        await served.until(gate.reached.is_set)
        await served.writes("/forget everything yes", ANN)
        await served.reads("Noted", ANN)
        await served.writes("and more MITZI", ANN, place=GROUP)
        await served.clock.advance(700)
        assert served.rows("select * from erasures"), "its turn is at work"
        gate.open()
        await served.until(lambda: not served.rows("select * from erasures"))
        await served.idle()
        assert traces(served, "MITZI", ANN) <= STAYS
        assert len(served.model.requests) <= 2


async def test_files_that_cannot_be_removed_now_hold_up_nobody_elses_erasure(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    served, erase = served_by(make), TurnFiles.erase
    failures = [OSError("the disk fails"), OSError("it still does")]

    async def fail_at_first(files: TurnFiles, leftovers: Leftovers) -> None:
        if failures:
            raise failures.pop()
        await erase(files, leftovers)

    monkeypatch.setattr(TurnFiles, "erase", fail_at_first)
    async with served.running():
        await ann_asks(served, "My cat is called MITZI.")
        await served.asks("I like HONEY.", "You said", "bob")
        for who in (ANN, "bob"):
            await served.store.privacy.ask(f"fake:{who}", by="fake:owner", delay=0.0)
        await served.until(lambda: len(failures) == 0)
        await served.until(lambda: not served.rows("select * from erasures"))
        assert traces(served, "MITZI", "HONEY") == set()


@pytest.mark.promise("R1")
async def test_who_asked_behind_an_erased_question_is_answered(make: Make) -> None:
    down = ProviderUnavailable("down", after=200.0)
    served = served_by(make, [down])
    async with served.running():
        await served.writes("one", ANN, place=GROUP)
        await served.reads(OUTAGE_WORDS, "-1")
        await served.writes("two", "bob", place=GROUP)
        await served.restart()
        await served.store.privacy.ask(f"fake:{ANN}", by="fake:owner", delay=0.0)
        await served.until(lambda: not served.rows("select * from erasures"))
        await served.reads("You said: two", "-1")


async def test_a_summary_of_erased_words_goes_with_them(make: Make) -> None:
    served = served_by(make)
    async with served.running():
        await said_in_group(served, "In the group: MITZI!")
        await said_in_group(served, "and I say HONEY", "bob")
        (session,) = served.rows("select id from sessions where person is null")[0]
        folded = await served.store.transcript.fold(
            session, "Ann spoke of MITZI, Bob of HONEY.", upto=4, expected_last=0
        )
        assert folded
        await forgets(served)
        assert traces(served, "MITZI") == set()
        await said_in_group(served, "what now?", "bob")
        told = [entry_text(entry) for entry in served.model.requests[-1].entries]
        assert told[0].startswith("What was said here before was erased")


async def test_t13_one_conversation_is_erased_and_never_anybody_elses(make: Make) -> None:
    served = served_by(make)
    async with served.running():
        await ann_asks(served, "My cat is called MITZI.")
        await ann_asks(served, "/new")
        await ann_asks(served, "Let us speak of HONEY.")
        await served.asks("/forget 2", "Erase **My cat is called MITZI.**", ANN)
        (mark,) = [
            choice.value
            for shown in served.bot.messages.values()
            for choice in shown.choices
            if choice.label == "Yes, erase it"
        ]
        await served.asks(mark, "Which one?", "bob")
        assert "entries.body" in traces(served, "MITZI")
        await served.presses("Yes, erase it", ANN)
        await served.reads("Erased.", ANN)
        assert "entries.body" not in traces(served, "MITZI")
        await ann_asks(served, "What do we speak of?")
        assert "HONEY" in entry_text(served.model.requests[-1].entries[0])
        await served.asks("/forget 7", "Which one?", ANN)


async def test_a_conversation_at_work_is_not_erased(make: Make) -> None:
    gate = Gate()
    served = served_by(make, says("Well."), [gate, *says("At last.")])
    async with served.running():
        await served.asks("My cat is called MITZI.", "Well.", ANN)
        await served.writes("Tell me more.", ANN)
        await served.until(gate.reached.is_set)
        await served.writes("/forget 1", ANN)
        await served.presses("Yes, erase it", ANN)
        await served.reads("I am still at work in that conversation", ANN)
        gate.open()
        await served.reads("At last.", ANN)
        await served.idle()
        await served.asks("/forget 1", "Erase **My cat", ANN)
        await served.presses("Yes, erase it", ANN)
        await served.reads("Erased.", ANN)
        await ann_asks(served, "And now?")
        assert len(served.model.requests[-1].entries) == 1


async def test_the_copy_has_everything_and_nothing_of_others(make: Make) -> None:
    served = served_by(make)
    account = served.accounts["bot"] = FilingAccount(served.clock, "bot")
    async with served.running():
        await served.asks("I am Bob, and I like HONEY.", "You said", "bob")
        await a_full_life(served)
        await served.asks("/export", "Here is all that I keep of you", ANN, sender_name=ANNS_NAME)
        sent = account.received
    with zipfile.ZipFile(io.BytesIO(sent["export.zip"])) as archive:
        data = json.loads(archive.read("data.json"))
        talks = {name: archive.read(name).decode() for name in archive.namelist()}
    assert len(data["conversations"]) == 2
    assert any("**You**" in talk and "My cat is called MITZI." in talk for talk in talks.values())
    whole = json.dumps(data)
    assert "In the group: MITZI!" in whole
    assert {"quoted": ["I whisper MITZI"]}.items() <= data["in_groups"][-1].items()
    assert data["overheard_in_groups"][0]["text"] == "MITZI unheard"
    assert data["accounts"][0]["account"] == f"fake:{ANN}"
    assert data["usage"]
    assert data["links"][0]["state"] == "open"
    assert [row["action"] for row in data["audit"]] == ["link.code_made"]
    assert data["messages_received"]
    for foreign in ("HONEY", "the weather is fine", "what was that?", "fake:bob"):
        assert foreign not in whole
    with zipfile.ZipFile(io.BytesIO(sent["files.zip"])) as archive:
        (name,) = archive.namelist()
        assert name.startswith("main/assets/")
        assert archive.read(name) == b"bytes of mitzi"
    assert not list((served.settings.data_dir / "outgoing").glob("*")), "the copies are gone"


async def exported(served: FakeGateway) -> str:
    """Return the data that Ann is given of herself."""
    account = served.accounts["bot"]
    assert isinstance(account, FilingAccount)
    await served.asks("/export", "Here is all that I keep of you", ANN, sender_name=ANNS_NAME)
    with zipfile.ZipFile(io.BytesIO(account.received["export.zip"])) as archive:
        return archive.read("data.json").decode()


async def test_t13_the_copy_has_no_words_of_others_that_were_heard_before_ones_own(
    make: Make,
) -> None:
    served = served_by(make)
    served.accounts["bot"] = FilingAccount(served.clock, "bot")
    async with served.running():
        await said_in_group(served, "Ann is not to know of the HONEY", "bob", is_addressed=False)
        await said_in_group(served, "I was not here then", is_addressed=False)
        await said_in_group(served, "hello, I am new here")
        data = await exported(served)
        for foreign in ("HONEY", "fake:bob", "Bob"):
            assert foreign not in data
        assert "hello, I am new here" in data
        assert "I was not here then" in data


async def test_t13_a_name_like_somebodys_id_does_not_keep_their_copy_from_them(
    make: Make,
) -> None:
    served = served_by(make)
    served.accounts["bot"] = FilingAccount(served.clock, "bot")
    async with served.running():
        await ann_asks(served, "My cat is called MITZI.")
        await served.writes("hello", "eve", place=GROUP, sender_name=f"fake:{ANN}")
        await served.until(lambda: any("hello" in one for one in served.texts("-1")))
        await served.idle()
        assert "My cat is called MITZI." in await exported(served)


async def test_t40_a_copy_leaves_the_last_of_the_disk_to_the_store(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = served_by(make)
    account = served.accounts["bot"] = FilingAccount(served.clock, "bot")
    async with served.running():
        await ann_asks(served, "My cat is called MITZI.")
        monkeypatch.setattr(workspace, "KEEP_FREE", 1 << 60)
        await served.asks("/export", "The disk is almost full", ANN, sender_name=ANNS_NAME)
        assert account.received == {}
        assert not list(served.settings.data_dir.rglob("*.part"))


async def test_what_is_old_goes_as_the_settings_say(make: Make) -> None:
    retention = {"records": "7d", "conversations": "10d", "usage": "40d", "files": "10d"}
    served = served_by(make, retention=retention)
    async with served.running():
        await ann_asks(served, "My cat is called MITZI.")
        await later(served, DAY * 8)
        await served.until(lambda: "inbox.message" not in traces(served, "MITZI"), step=60)
        await served.asks("I like HONEY.", "You said", "bob")
        assert "entries.body" in traces(served, "MITZI")
        await later(served, DAY * 3)
        await served.until(lambda: "entries.body" not in traces(served, "MITZI"), step=60)
        assert "entries.body" in traces(served, "HONEY")
        assert served.rows("select count(*) from usage") == [(2,)]
        await later(served, DAY * 31)
        await served.until(lambda: served.rows("select count(*) from usage") == [(1,)], step=60)


async def test_what_goes_wrong_with_what_is_old_is_tried_again_the_next_day(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    served, prune = served_by(make, retention={"records": "7d"}), SqlStore.prune
    failures = [RecursionError("folders in folders")]

    async def fail_at_first(store: SqlStore, before: float) -> int:
        if failures:
            raise failures.pop()
        return await prune(store, before)

    monkeypatch.setattr(SqlStore, "prune", fail_at_first)
    async with served.running():
        await ann_asks(served, "My cat is called MITZI.")
        await served.until(lambda: not failures, step=60)
        await served.clock.advance(DAY * 9)
        await served.until(lambda: "inbox.message" not in traces(served, "MITZI"), step=60)


async def test_t6_a_code_that_was_told_is_in_no_table(make: Make) -> None:
    served = make(access={"direct_messages": "pairing", "allowlist": [f"fake:{ANN}"]})
    async with served.running():
        await served.asks("/link", "good for ten minutes", ANN)
        await served.writes("let me in", "bob")
        await served.reads("good for an hour", "bob")
        await served.idle()
        await served.passes(1)
        for told in (served.texts(ANN)[-1], served.texts("bob")[-1]):
            code = re.findall(r"\b[2-9A-HJ-NP-Z]{8}\b", told)[0]
            assert traces(served, code) == set()
