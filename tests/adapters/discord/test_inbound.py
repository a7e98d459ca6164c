"""Payloads from the documentation, each with what must be read from it."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.discord.contents import decode_reference
from adapters.discord.inbound import (
    Me,
    Reader,
    decode_message_id,
    encode_message_id,
    interaction_id,
)
from adapters.discord.places import Places
from gateway.ids import AccountName, MessageId
from gateway.messages import (
    Attachment,
    Burst,
    Inbound,
    Message,
    MessageDeleted,
    MessagesMissed,
    PlaceMoved,
)

PAYLOADS = sorted(Path(__file__).parent.glob("payloads/*.json"))
NOW = 1_800_000_500.0
US = "1000"
SERVER = {
    "id": "700",
    "roles": [
        {"id": "901", "name": "Parley", "tags": {"bot_id": US}},
        {"id": "902", "name": "mods"},
    ],
    "channels": [
        {"id": "600", "type": 0, "name": "general"},
        {"id": "601", "type": 0, "name": "news"},
        {"id": "610", "type": 15, "name": "questions"},
    ],
    "threads": [
        {"id": "650", "type": 11, "name": "ours", "parent_id": "600", "owner_id": US},
        {"id": "651", "type": 11, "name": "theirs", "parent_id": "600", "owner_id": "300"},
        {"id": "660", "type": 11, "name": "help", "parent_id": "610", "owner_id": "300"},
    ],
}


def reader(*, threads: bool = False) -> Reader:
    places = Places()
    places.note_guild(SERVER, US)
    return Reader(AccountName("helper"), Me(US, "2000", "Parley"), places, makes_threads=threads)


def shown(inbound: Inbound | None) -> dict[str, Any] | None:
    """Write a message as the payload files do: defaults are left out."""
    match inbound:
        case None | Burst() | PlaceMoved() | MessagesMissed():
            return None
        case MessageDeleted():
            return {"deleted": inbound.message_id, "event_key": inbound.event_key}
        case Message():
            told = [(name, value) for name, value in fields(inbound)]
            return {name: value for name, value in told if value != DEFAULTS.get(name, ...)}


DEFAULTS: dict[str, Any] = {
    "thread": None,
    "space": None,
    "is_addressed": True,
    "is_from_bot": False,
    "attachments": [],
    "quote": None,
    "forwarded_from": None,
    "edited_at": None,
    "origin": "typed",
    "pressed_on": None,
}


def fields(message: Message) -> list[tuple[str, Any]]:
    quote, place = message.quote, message.address.place
    cited: dict[str, Any] | None = None
    if quote is not None:
        cited = {"author": quote.author, "text": quote.text}
        cited |= {"is_ours": True} if quote.is_ours else {}
    return [
        ("event_key", message.event_key),
        ("message_id", message.message_id),
        ("user", message.address.external_user),
        ("conversation", place.conversation),
        ("thread", place.thread),
        ("space", place.space),
        ("is_direct", place.is_direct),
        ("sender_name", message.sender_name),
        ("text", message.text),
        ("sent_at", message.sent_at),
        ("attachments", [attached(one) for one in message.attachments]),
        ("quote", cited),
        ("forwarded_from", message.forwarded_from),
        ("is_addressed", message.is_addressed),
        ("is_from_bot", message.is_from_bot),
        ("edited_at", message.edited_at),
        ("origin", message.origin.value),
        ("pressed_on", message.pressed_on),
    ]


def attached(attachment: Attachment) -> dict[str, Any]:
    written: dict[str, Any] = {
        "kind": attachment.kind.value,
        "reference": attachment.reference,
        "name": attachment.name,
        "mime": attachment.mime,
    }
    return written if attachment.size is None else {**written, "size": attachment.size}


def read(path: Path) -> tuple[Inbound | None, dict[str, Any]]:
    case = json.loads(path.read_text())
    inbound = reader(threads=case.get("threads", False)).read(case["event"], case["payload"], NOW)
    return inbound, case


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: path.stem)
def test_a_payload_is_read_as_documented(path: Path) -> None:
    inbound, case = read(path)
    assert shown(inbound) == case["expected"]


def test_there_are_payloads() -> None:
    assert len(PAYLOADS) >= 40


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: path.stem)
def test_everything_read_can_be_written_down(path: Path) -> None:
    inbound, _ = read(path)
    for value in (shown(inbound) or {}).values():
        assert "\0" not in str(value)
        str(value).encode()


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: path.stem)
def test_t10_n21_a_new_name_is_the_same_person(path: Path) -> None:
    before, case = read(path)
    for who in (case["payload"].get("author"), case["payload"].get("user")):
        if who is not None and who["id"] != US:
            who |= {"username": "owner", "global_name": "The Owner"}
    after = reader(threads=case.get("threads", False)).read(case["event"], case["payload"], NOW)
    if isinstance(before, Message):
        assert isinstance(after, Message)
        assert before.address == after.address


def test_ids_keep_channel_and_number() -> None:
    assert decode_message_id(encode_message_id("500", "9001")) == ("500", "9001")
    assert interaction_id(MessageId("interaction:7")) == "7"
    assert interaction_id(MessageId("500:9001")) is None
    assert interaction_id(None) is None


def test_a_reference_keeps_where_its_file_is() -> None:
    case = json.loads((Path(__file__).parent / "payloads/file.json").read_text())
    reference = case["expected"]["attachments"][0]["reference"]
    channel, message, attachment, url = decode_reference(reference)
    assert (channel, message, attachment) == ("500", "9001", "77")
    assert url == case["payload"]["attachments"][0]["url"]


def test_other_events_say_nothing() -> None:
    assert reader().read("TYPING_START", {"user_id": "300"}, NOW) is None


def test_places_follow_what_is_told_and_forget_what_is_gone() -> None:
    places = Places()
    places.note_guild(SERVER, US)
    assert {spot.id for spot in places.with_text()} == {"600", "601", "650", "651", "660"}
    places.note_message("600", "99")
    found = places.find("600")
    assert found is not None
    assert found.last_message == "99"
    places.note_channel({"id": "602", "type": 0, "guild_id": "700"})
    places.forget_channel("600")
    assert places.find("600") is None
    assert places.servers == 1
    places.forget_guild("700")
    assert places.servers == 0
    assert not places.with_text()
