"""Values to JSON text and back, and text that every database can hold."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError

from gateway.contracts.people import Identity
from gateway.messages import Address, Message, OutgoingFile
from gateway.transcript import (
    AssistantEntry,
    Entry,
    SummaryEntry,
    ToolResultEntry,
    UserEntry,
)

T = TypeVar("T")

SUMMARY = "summary"
_KINDS: dict[str, type[Entry]] = {
    "user": UserEntry,
    "assistant": AssistantEntry,
    "tool": ToolResultEntry,
    SUMMARY: SummaryEntry,
}
_KIND_OF = {kind: name for name, kind in _KINDS.items()}


def storable(text: str) -> str:
    """Return `text` without what no database keeps: half surrogate pairs and NUL."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def dump_message(message: Message) -> str:
    return _dump(Message, message)


def load_message(text: str) -> Message:
    return _load(Message, text)


def dump_address(address: Address) -> str:
    return _dump(Address, address)


def load_address(text: str) -> Address:
    return _load(Address, text)


def dump_identity(identity: Identity) -> str:
    return _dump(Identity, identity)


def load_identity(text: str) -> Identity:
    return _load(Identity, text)


def dump_facts(facts: Mapping[str, str]) -> str:
    """Write facts so that equal ones are written the same."""
    return json.dumps({name: storable(facts[name]) for name in sorted(facts)}, ensure_ascii=False)


def load_facts(text: str) -> dict[str, str]:
    return _load(dict[str, str], text)


def dump_files(files: Sequence[OutgoingFile]) -> str:
    return _dump(tuple[OutgoingFile, ...], tuple(files)) if files else "[]"


def load_files(text: str) -> tuple[OutgoingFile, ...]:
    return () if text == "[]" else _load(tuple[OutgoingFile, ...], text)


def dump_entry(entry: Entry) -> tuple[str, str]:
    """Return the entry's kind and its body."""
    kind = type(entry)
    return _KIND_OF[kind], _dump(kind, entry)


def load_entry(kind: str, body: str) -> Entry:
    return _load(_KINDS[kind], body)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _load(kind: type[T], text: str) -> T:
    asked: Any = kind
    value: T = _adapter(asked).validator.validate_json(text)
    return value


def _dump(kind: Any, value: object) -> str:
    try:
        return _adapter(kind).dump_json(value).decode()
    except PydanticSerializationError:
        plain = _adapter(kind).dump_python(value, mode="json")
        return storable(json.dumps(plain, ensure_ascii=False))
