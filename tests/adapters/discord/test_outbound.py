"""Bodies of calls, as the API takes them."""

from pathlib import Path
from typing import Any

import pytest

from adapters.discord.choices import buttons, is_of_growing, label_of, value_of
from adapters.discord.outbound import (
    CALLS_NOBODY,
    TEXT_LIMIT,
    aside_body,
    command_bodies,
    edit_body,
    file_name,
    files_body,
    nonce,
    send_body,
    settled_body,
    thread_name,
)
from gateway.contracts.adapter import CommandInfo
from gateway.ids import MessageId
from gateway.messages import Choice, OutgoingFile, OutgoingMessage


def message(text: str = "hi", **more: Any) -> OutgoingMessage:
    return OutgoingMessage("out_1", text, **more)


def test_a_message_has_a_nonce_that_its_key_gives() -> None:
    body = send_body("500", message(), previews=False)
    assert body["nonce"] == nonce("out_1") == nonce("out_1")
    assert len(body["nonce"]) == 25
    assert nonce("out_2") != nonce("out_1")
    assert body["enforce_nonce"] is True


def test_t56_every_body_calls_nobody() -> None:
    file = OutgoingFile(Path("a"), "a", "text/plain", caption="@everyone")
    bodies = [
        send_body("500", message("@everyone"), previews=True),
        edit_body(message("@everyone"), previews=True),
        files_body([file], "k", previews=True),
        settled_body("@everyone", "@here", "@here"),
        aside_body("@everyone"),
    ]
    for body in bodies:
        assert body["allowed_mentions"] == CALLS_NOBODY == {"parse": [], "replied_user": False}


def test_t21_links_have_no_preview_unless_they_are_wanted() -> None:
    assert send_body("500", message(), previews=False)["flags"] == 4
    assert "flags" not in send_body("500", message(), previews=True)
    assert send_body("500", message(is_growing=True), previews=True)["flags"] == 4


def test_an_answer_names_its_question_in_the_same_channel_only() -> None:
    here = send_body("500", message(reply_to=MessageId("500:7")), previews=False)
    assert here["message_reference"] == {"message_id": "7", "fail_if_not_exists": False}
    elsewhere = send_body("501", message(reply_to=MessageId("500:7")), previews=False)
    command = send_body("500", message(reply_to=MessageId("interaction:7")), previews=False)
    assert "message_reference" not in elsewhere
    assert "message_reference" not in command


def test_an_edit_without_choices_takes_buttons_away() -> None:
    assert edit_body(message(), previews=False)["components"] == []


def test_buttons_stand_five_in_a_row_and_know_what_they_say() -> None:
    choices = [Choice(f"L{n}", "same", is_danger=n == 3) for n in range(12)]
    rows = buttons(choices, is_growing=False)
    assert [len(row["components"]) for row in rows] == [5, 5, 2]
    flat = [button for row in rows for button in row["components"]]
    assert len({button["custom_id"] for button in flat}) == 12
    assert {value_of(button["custom_id"]) for button in flat} == {"same"}
    assert flat[3]["style"] == 4
    assert label_of(rows, flat[7]["custom_id"]) == "L7"
    assert label_of(rows, "c99:x") == ""


def test_a_button_tells_whether_its_message_was_growing() -> None:
    for growing in (True, False):
        [row] = buttons([Choice("A", "v" * 64)], is_growing=growing)
        custom_id = row["components"][0]["custom_id"]
        assert is_of_growing(custom_id) is growing
        assert len(custom_id) <= 100


def test_long_labels_are_cut() -> None:
    [row] = buttons([Choice("x" * 200, "v")], is_growing=False)
    assert len(row["components"][0]["label"]) == 80


def test_lesson_28_a_settled_message_fits_however_long_it_was() -> None:
    for length in (0, 10, 1990, 2000):
        body = settled_body("x" * length, "Yes", "Ann")
        assert len(body["content"]) <= TEXT_LIMIT
        assert body["content"].endswith("-# ✓ Yes · Ann")
        assert body["components"] == []


def test_n23_code_that_is_cut_when_it_is_settled_ends() -> None:
    content = settled_body(f"```\n{'x' * 1992}\n```", "Yes", None)["content"]
    assert len(content) <= TEXT_LIMIT
    assert content.endswith("x…\n```\n-# ✓ Yes")


def test_captions_of_several_files_name_them() -> None:
    files = [
        OutgoingFile(Path("a"), "a.txt", "text/plain", caption="first"),
        OutgoingFile(Path("b"), "b.txt", "text/plain"),
    ]
    body = files_body(files, "k", previews=True)
    assert body["content"] == "a.txt: first"
    assert [one["filename"] for one in body["attachments"]] == ["a.txt", "b.txt"]
    assert files_body(files[:1], "k", previews=True)["content"] == "first"


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("notes.txt", "notes.txt"),
        ("../../etc/passwd", "passwd"),
        ("C:\\x\\a b(1).png", "a b(1).png"),
        ("\u202egnp.exe", "_gnp.exe"),
        ("a\nb\0.txt", "a_b_.txt"),
        ("...", "file-3"),
        ("", "file-3"),
        ("Ünïcode.pdf", "Ünïcode.pdf"),
    ],
)
def test_t36_a_name_is_safe(name: str, safe: str) -> None:
    assert file_name(name, 3) == safe


def test_the_menu_hides_what_is_the_owners() -> None:
    commands = [
        CommandInfo("new", "Start afresh", is_direct_only=True),
        CommandInfo("status", "x" * 200),
        CommandInfo("pair", "Let in", is_for_owner=True),
    ]
    bodies = command_bodies(commands)
    assert [body["name"] for body in bodies] == ["new", "status"]
    assert bodies[0]["contexts"] == [1]
    assert bodies[1]["contexts"] == [0, 1]
    [status] = command_bodies(commands, for_server=True)
    assert status["name"] == "status"
    assert not {"contexts", "integration_types"} & status.keys()
    assert len(bodies[1]["description"]) == 100


def test_a_thread_is_named_by_its_first_words() -> None:
    assert thread_name("Plan a\n trip") == "Plan a trip"
    assert thread_name("  ") == "Conversation"
    long = thread_name("word " * 50)
    assert len(long) <= 100
    assert long.endswith("word…")
