"""Parameters of calls, before any socket."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.telegram.entities import utf16_length
from adapters.telegram.outbound import (
    caption_parameters,
    command_menus,
    draft_parameters,
    edit_parameters,
    is_photo,
    limits,
    send_parameters,
    without_entities,
)
from gateway.contracts.adapter import CommandInfo
from gateway.ids import MessageId
from gateway.messages import Choice, OutgoingFile, OutgoingMessage, Place

DIRECT = Place("42", is_direct=True)


def sent(text: str = "hi", place: Place = DIRECT, **more: Any) -> dict[str, Any]:
    return send_parameters(place, OutgoingMessage("out_1", text, **more), previews=False)


@given(st.text())
def test_every_text_makes_parameters_that_can_be_written(text: str) -> None:
    parameters = sent(text)
    json.dumps(parameters).encode()
    assert parameters["text"].strip()
    assert "parse_mode" not in parameters
    assert "entities" not in without_entities(parameters)


@given(st.text(), st.integers(1, 2**31))
def test_drafts_fit_whatever_is_written(text: str, draft: int) -> None:
    parameters = draft_parameters(DIRECT, draft, text * 50)
    assert utf16_length(parameters["text"]) <= 4096
    assert parameters["draft_id"] == draft


@given(st.text(min_size=1))
def test_captions_fit_whatever_is_written(text: str) -> None:
    assert utf16_length(caption_parameters(text * 40).get("caption", "")) <= 1024


@given(st.integers(1, 24))
def test_choices_stand_at_most_three_in_a_row(count: int) -> None:
    choices = tuple(Choice(str(number), f"v{number}") for number in range(count))
    rows = sent(choices=choices)["reply_markup"]["inline_keyboard"]
    assert [button["callback_data"] for row in rows for button in row] == [
        choice.value for choice in choices
    ]
    assert max(map(len, rows)) <= 3


@pytest.mark.parametrize(
    ("reply_to", "place", "named"),
    [
        ("42:7", DIRECT, 7),
        ("42:7:press", DIRECT, 7),
        ("42:0:stop9", DIRECT, None),
        ("-5:7", DIRECT, None),
        (None, DIRECT, None),
    ],
)
def test_an_answer_points_only_at_what_can_be_answered(
    reply_to: MessageId | None, place: Place, named: int | None
) -> None:
    parameters = sent(place=place, reply_to=reply_to).get("reply_parameters")
    assert parameters == (
        None if named is None else {"message_id": named, "allow_sending_without_reply": True}
    )


def test_topics_are_named_and_the_general_one_is_not() -> None:
    assert sent(place=Place("-1001", "9"))["message_thread_id"] == 9
    assert "message_thread_id" not in sent(place=Place("-1001"))


def test_an_edit_names_the_message_and_not_the_topic() -> None:
    message = OutgoingMessage("out_1", "hi")
    assert edit_parameters(MessageId("-1001:9"), message, previews=True) == {
        "chat_id": -1001,
        "message_id": 9,
        "text": "hi",
    }


@pytest.mark.parametrize(
    ("mime", "is_image", "size", "photo"),
    [
        ("image/png", True, 10_000_000, True),
        ("image/png", True, 10_000_001, False),
        ("image/png", False, 10, False),
        ("image/svg+xml", True, 10, False),
        ("image/gif", True, 10, False),
    ],
)
def test_photos_are_what_telegram_shows_as_such(
    mime: str, is_image: bool, size: int, photo: bool, tmp_path: Any
) -> None:
    assert is_photo(OutgoingFile(tmp_path, "a", mime, is_image=is_image), size) is photo


def test_limits_are_those_of_the_server() -> None:
    hosted, local = limits(is_local=False), limits(is_local=True)
    assert (hosted.text, hosted.caption, hosted.files_per_album) == (4096, 1024, 10)
    assert (hosted.file_bytes, hosted.download_bytes) == (50_000_000, 20_000_000)
    assert (local.file_bytes, local.download_bytes) == (2_000_000_000, 2_000_000_000)
    assert hosted.measure("**😀** `x`") == 4


def test_menus_keep_to_what_telegram_takes() -> None:
    many = [CommandInfo(f"c{number}", "x" * 300) for number in range(120)]
    for menu in command_menus(many):
        assert len(menu["commands"]) == 100
        assert all(len(entry["description"]) <= 256 for entry in menu["commands"])
