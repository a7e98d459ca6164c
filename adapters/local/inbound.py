"""What was typed, as a message: files named with `@`, choices pressed by their number."""

import mimetypes
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.ids import EventKey, MessageId
from gateway.messages import Address, Attachment, AttachmentKind, Choice, Message, Origin

_FILE = re.compile(r"""@(?:"([^"]+)"|'([^']+)'|((?:\\.|[^\s\\])+))\s*""")
_KINDS = {kind.value: kind for kind in (AttachmentKind.IMAGE, AttachmentKind.AUDIO)} | {
    "video": AttachmentKind.VIDEO
}


@dataclass(frozen=True, slots=True)
class Typed:
    """A line, taken apart."""

    text: str
    files: tuple[Path, ...] = ()
    missing: tuple[str, ...] = ()
    """Paths that were meant as files and lead to none."""


@dataclass(frozen=True, slots=True)
class Question:
    """Choices that can be pressed, and the message that shows them."""

    message_id: MessageId
    choices: Sequence[Choice]


def read_typed(line: str) -> Typed:
    """Take files off the start of a line, as in `@photo.jpg @"my notes.txt" compare these`.

    A word after `@` that neither exists nor looks like a path is left in the text.
    """
    files: list[Path] = []
    missing: list[str] = []
    rest = line.strip()
    while (found := _FILE.match(rest)) is not None:
        written = found[1] or found[2] or re.sub(r"\\(.)", r"\1", found[3])
        path = Path(written).expanduser()
        if path.is_file():
            files.append(path.absolute())
        elif "/" in written or "." in written:
            missing.append(written)
        else:
            break
        rest = rest[found.end() :]
    return Typed(rest, tuple(files), tuple(missing))


def to_message(
    typed: Typed, number: str, sent_at: float, sender: Address, question: Question | None = None
) -> Message:
    """Make the message that is delivered; a bare number presses a choice of `question`."""
    pressed = _pressed(typed, question)
    return Message(
        event_key=EventKey(number),
        message_id=MessageId(number),
        address=sender,
        sender_name=sender.external_user,
        text=typed.text if pressed is None else pressed.value,
        sent_at=sent_at,
        attachments=tuple(_attachment(file) for file in typed.files),
        origin=Origin.TYPED if pressed is None else Origin.PRESSED,
        pressed_on=None if question is None or pressed is None else question.message_id,
    )


def _pressed(typed: Typed, question: Question | None) -> Choice | None:
    if question is None or typed.files or not typed.text.isascii() or not typed.text.isdigit():
        return None
    number = int(typed.text)
    return question.choices[number - 1] if 1 <= number <= len(question.choices) else None


def _attachment(file: Path) -> Attachment:
    mime = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return Attachment(
        kind=_KINDS.get(mime.partition("/")[0], AttachmentKind.FILE),
        reference=str(file),
        name=file.name,
        mime=mime,
        size=file.stat().st_size,
    )
