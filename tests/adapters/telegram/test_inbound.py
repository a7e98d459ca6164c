"""Payloads from the documentation, each with what must be read from it."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.telegram.addressing import Me
from adapters.telegram.inbound import Reader, decode_message_id, encode_message_id
from gateway.ids import AccountName
from gateway.messages import Attachment, Inbound, Message, PlaceMoved

PAYLOADS = sorted(Path(__file__).parent.glob("payloads/*.json"))
READER = Reader(AccountName("helper"), Me(7_000_000_001, "parley_bot"))
NOW = 1_800_000_500.0


def shown(inbound: Inbound | None) -> dict[str, Any] | None:
    """Write a message as the payload files do: defaults are left out."""
    match inbound:
        case None:
            return None
        case PlaceMoved(event_key=key, old=old, new=new):
            return {"event_key": key, "moved": [old.conversation, new.conversation]}
        case Message():
            return {name: value for name, value in fields(inbound) if value != DEFAULTS.get(name)}
    raise AssertionError(f"Telegram tells of no {inbound}")


DEFAULTS: dict[str, Any] = {
    "thread": None,
    "is_addressed": True,
    "is_from_bot": False,
    "attachments": [],
    "quote": None,
    "forwarded_from": None,
    "album": None,
    "edited_at": None,
    "origin": "typed",
    "pressed_on": None,
}


def fields(message: Message) -> list[tuple[str, Any]]:
    quote = message.quote
    cited: dict[str, Any] | None = None
    if quote is not None:
        cited = {"author": quote.author, "text": quote.text}
        cited |= {"is_ours": True} if quote.is_ours else {}
    return [
        ("event_key", message.event_key),
        ("message_id", message.message_id),
        ("user", message.address.external_user),
        ("conversation", message.address.place.conversation),
        ("thread", message.address.place.thread),
        ("is_direct", message.address.place.is_direct),
        ("sender_name", message.sender_name),
        ("text", message.text),
        ("sent_at", message.sent_at),
        ("attachments", [attached(one) for one in message.attachments]),
        ("quote", cited),
        ("forwarded_from", message.forwarded_from),
        ("is_addressed", message.is_addressed),
        ("is_from_bot", message.is_from_bot),
        ("album", message.album),
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


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: path.stem)
def test_a_payload_is_read_as_documented(path: Path) -> None:
    case = json.loads(path.read_text())
    assert shown(READER.read(case["update"], NOW)) == case["expected"]


def test_there_are_payloads() -> None:
    assert len(PAYLOADS) >= 25


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: path.stem)
def test_everything_read_can_be_written_down(path: Path) -> None:
    inbound = READER.read(json.loads(path.read_text())["update"], NOW)
    for value in (shown(inbound) or {}).values():
        assert "\0" not in str(value)
        str(value).encode()


def test_a7_a_reference_is_no_address() -> None:
    """Links to files hold the bot's token; what is kept must not."""
    for path in PAYLOADS:
        inbound = READER.read(json.loads(path.read_text())["update"], NOW)
        for attachment in inbound.attachments if isinstance(inbound, Message) else ():
            assert "/" not in attachment.reference


def test_n21_a_new_name_is_the_same_person() -> None:
    update = json.loads((Path(__file__).parent / "payloads" / "text.json").read_text())["update"]
    before = READER.read(update, NOW)
    update["message"]["from"] |= {"username": "ann_the_owner", "first_name": "Owner"}
    after = READER.read(update, NOW)
    assert isinstance(before, Message)
    assert isinstance(after, Message)
    assert before.address == after.address


def test_a_repeated_update_number_with_another_message_is_another_event() -> None:
    update = json.loads((Path(__file__).parent / "payloads" / "text.json").read_text())["update"]
    first = READER.read(update, NOW)
    update["message"]["message_id"] += 1
    second = READER.read(update, NOW)
    assert first is not None
    assert second is not None
    assert first.event_key != second.event_key


def test_message_ids_keep_chat_and_number() -> None:
    assert decode_message_id(encode_message_id(-100123, 7)) == (-100123, 7)
    assert decode_message_id(encode_message_id(5, 7, "press")) == (5, 7)
