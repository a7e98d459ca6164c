"""What is sent, as the parameters of Web API calls. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.slack.inbound import CHOICE, decode_message_id, is_command_id
from adapters.slack.markdown import as_mrkdwn, escape, measure, plain, safe, settled
from gateway.chat_text import clean
from gateway.ids import MessageId
from gateway.messages import (
    Choice,
    Limits,
    Mark,
    OutgoingFile,
    OutgoingMessage,
    Place,
    Task,
    TaskState,
)

TEXT_LIMIT = 11_500
"""Slack says 12,000 for a message's Markdown; with other blocks beside it, it takes less."""
CAPTION_LIMIT = 3000
CHOICES_AT_MOST = 25
EVENT_TYPE = "parley_message"
_NOTIFIED = 4000
_LABEL_LIMIT = 75
_TASKS_SHOWN = 10
_TASK_LIMIT = 256
_CONTEXT_LIMIT = 2000
_HUNDRED_MEGABYTES = 100_000_000

Parameters = dict[str, Any]

LIMITS = Limits(
    text=TEXT_LIMIT,
    measure=measure,
    caption=CAPTION_LIMIT,
    edit_every=1.2,
    edit_every_in_groups=1.2,
    calls_per_second=100 / 60,
    image_bytes=_HUNDRED_MEGABYTES,
    file_bytes=_HUNDRED_MEGABYTES,
    download_bytes=_HUNDRED_MEGABYTES,
    files_per_album=10,
)
REACTIONS = {Mark.SEEN: "eyes", Mark.DONE: "white_check_mark", Mark.FAILED: "x"}
_STATUS = {
    TaskState.RUNNING: "in_progress",
    TaskState.DONE: "complete",
    TaskState.FAILED: "error",
}
_SIGNS = {TaskState.RUNNING: "⏳", TaskState.DONE: "🔧", TaskState.FAILED: "⚠️"}


def thread_of(place: Place) -> str | None:
    """Name the message under which answers hang, if they hang under one."""
    return place.thread or place.anchor


def where(place: Place) -> Parameters:
    thread = thread_of(place)
    return {"channel": place.conversation} | ({"thread_ts": thread} if thread else {})


def send_parameters(
    place: Place, message: OutgoingMessage, *, previews: bool, asker: str = ""
) -> Parameters:
    return {
        **where(place),
        **_contents(message, asker),
        "metadata": metadata(message.key),
        "unfurl_links": previews and not message.is_growing,
        "unfurl_media": previews and not message.is_growing,
    }


def edit_parameters(sent: MessageId, message: OutgoingMessage, *, asker: str = "") -> Parameters:
    channel, ts = decode_message_id(sent)
    return {
        "channel": channel,
        "ts": ts,
        **_contents(message, asker),
        "metadata": metadata(message.key),
    }


def metadata(key: str) -> Parameters:
    return {"event_type": EVENT_TYPE, "event_payload": {"key": key}}


def key_of(message: Mapping[str, Any]) -> str | None:
    """Return the key under which a message of ours was sent, if it tells."""
    told = message.get("metadata") or {}
    if told.get("event_type") != EVENT_TYPE:
        return None
    key = (told.get("event_payload") or {}).get("key")
    return key if isinstance(key, str) else None


def without_blocks(parameters: Parameters) -> Parameters:
    """Give the words alone, for blocks that were refused."""
    words = "\n".join(
        block["text"] for block in parameters["blocks"] if block["type"] == "markdown"
    )
    return {**parameters, "blocks": [], "text": words or parameters["text"]}


def _contents(message: OutgoingMessage, asker: str) -> Parameters:
    blocks: list[Parameters] = []
    if asker and is_command_id(message.reply_to):
        blocks.append(context(f"{escape(asker)} asked"))
    blocks.append({"type": "markdown", "text": safe(message.text).strip() or "…"})
    if message.tasks:
        blocks.append(context(*map(_told, message.tasks[-_TASKS_SHOWN:])))
    if message.choices:
        blocks.append(buttons(message.choices))
    return {"text": plain(message.text, _NOTIFIED) or "…", "blocks": blocks}


def context(*lines: str) -> Parameters:
    """Make a block of small lines, already in Slack's own mark-up."""
    elements = [{"type": "mrkdwn", "text": line[:_CONTEXT_LIMIT]} for line in lines]
    return {"type": "context", "elements": elements}


def _told(task: Task) -> str:
    detail = f" · {task.detail}" if task.detail else ""
    return f"{_SIGNS[task.state]} {escape(task.title + detail)}"


def buttons(choices: Sequence[Choice]) -> Parameters:
    elements = [_button(number, choice) for number, choice in enumerate(choices)]
    return {"type": "actions", "elements": elements}


def _button(number: int, choice: Choice) -> Parameters:
    label = clean(choice.label).strip() or "…"
    if len(label) > _LABEL_LIMIT:
        label = label[: _LABEL_LIMIT - 1] + "…"
    button = {
        "type": "button",
        "action_id": f"{CHOICE}{number}",
        "text": {"type": "plain_text", "text": label, "emoji": True},
        "value": choice.value,
    }
    return {**button, "style": "danger"} if choice.is_danger else button


def settled_blocks(message: Parameters, label: str, presser: str) -> Parameters:
    """Show a message that was asked and is answered: its words, and what was chosen."""
    kept = [block for block in message.get("blocks") or () if block["type"] != "actions"]
    if not kept:
        kept = [{"type": "markdown", "text": message.get("text") or "…"}]
    chosen = context(f"✓ {escape(label)} — {escape(presser)}")
    return {"text": message.get("text") or label, "blocks": [*kept, chosen]}


def growing_text(message: OutgoingMessage) -> str:
    """Return what of a growing text can be shown for good, as it is sent."""
    return safe(settled(message.text.rstrip())).rstrip()


def task_chunk(task: Task) -> Parameters:
    chunk = {
        "type": "task_update",
        "id": task.id,
        "title": clean(task.title)[:_TASK_LIMIT] or "…",
        "status": _STATUS[task.state],
    }
    return {**chunk, "output": clean(task.detail)[:_TASK_LIMIT]} if task.detail else chunk


def text_chunk(text: str) -> Parameters:
    return {"type": "markdown_text", "text": text}


def comment(files: Sequence[OutgoingFile]) -> str:
    """Join the captions of files that are one message, each said once."""
    captions = dict.fromkeys(file.caption.strip() for file in files)
    return "\n\n".join(as_mrkdwn(caption) for caption in captions if caption)
