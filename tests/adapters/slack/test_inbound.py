"""Payloads from the documentation, each with what must be read from it."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.slack.inbound import Me, Reader, decode_message_id, encode_message_id
from gateway.ids import AccountName
from gateway.messages import Attachment, Inbound, Message, MessageDeleted

PAYLOADS = sorted(Path(__file__).parent.glob("payloads/*.json"))
NOW = 1_800_000_500.0
DEFAULTS: dict[str, Any] = {
    "thread": None,
    "anchor": None,
    "space": None,
    "is_direct": False,
    "is_addressed": True,
    "is_from_bot": False,
    "attachments": [],
    "quote": None,
    "forwarded_from": None,
    "edited_at": None,
    "origin": "typed",
    "pressed_on": None,
}


def reader(
    *, is_agent: bool = False, followed: tuple[str, str] = ("", ""), **settings: bool
) -> Reader:
    return Reader(
        AccountName("helper"),
        Me("T0TEAM", "U0BOT", "B0BOT", "parley", is_agent=is_agent),
        ("new", "stop", "help"),
        is_followed=lambda *thread: thread == tuple(followed),
        **settings,
    )


def read(document: dict[str, Any]) -> Inbound | None:
    found, payload = reader(**document.get("reader", {})), document["payload"]
    match document["kind"]:
        case "command":
            return found.read_command(payload, NOW)
        case "press":
            return found.read_press(payload)
        case "history":
            return found.read_message("C0DEV", payload)
        case _:
            return found.read_event(payload)


def shown(inbound: Inbound | None) -> dict[str, Any] | None:
    """Write a message as the payload files do: defaults are left out."""
    match inbound:
        case MessageDeleted(event_key=key, message_id=message):
            return {"event_key": key, "deleted": message}
        case Message():
            return {name: value for name, value in fields(inbound) if value != DEFAULTS.get(name)}
        case _:
            return None


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
        ("anchor", place.anchor),
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


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: path.stem)
def test_a_payload_is_read_as_its_file_says(path: Path) -> None:
    document = json.loads(path.read_text())
    assert shown(read(document)) == document["expected"]


def test_n15_a11_a_mention_and_its_message_are_one() -> None:
    folder = PAYLOADS[0].parent
    both = [
        read(json.loads((folder / name).read_text()))
        for name in ("channel_mention.json", "app_mention.json")
    ]
    assert both[0] == both[1]


@pytest.mark.threat("T10")
def test_t10_a_name_gives_nobody_authority() -> None:
    document = json.loads((PAYLOADS[0].parent / "slack_connect_user.json").read_text())
    document["payload"]["user_profile"]["display_name"] = "U0ANN"
    found = read(document)
    assert isinstance(found, Message)
    assert found.address.external_user == "T0OTHER:U0EVE"


def test_a_message_has_an_id_with_its_channel() -> None:
    name = encode_message_id("C0DEV", "1.2", "press3")
    assert decode_message_id(name) == ("C0DEV", "1.2")


@pytest.mark.parametrize(
    "event",
    [
        {"type": "message"},
        {"type": "message", "channel": "D1", "user": "U1"},
        {"type": "app_mention"},
    ],
)
def test_what_is_not_formed_as_documented_is_an_error(event: dict[str, Any]) -> None:
    with pytest.raises(KeyError):
        reader().read_event(event)
