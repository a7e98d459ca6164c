"""What a person sees in Slack, from the messages that its server holds."""

from collections.abc import Iterable
from html import escape
from typing import Any

from scripts.rendering.bubble import Bubble, button, button_row, file_card, picture, pictures, signs
from scripts.rendering.slack_text import draw_markdown, draw_mrkdwn
from tests.fakes.slack import Conversation, Message
from tests.fakes.slack.conversation import Task
from tests.journeys.on_slack import SlackPerson

_STATES = {"pending": "○", "in_progress": "◌", "complete": "✓", "error": "✗"}
_EMOJI = {"eyes": "👀", "white_check_mark": "✅", "x": "❌"}


class SlackEye:
    """Sees a thread, with the line under it that says what the app does."""

    def __init__(self, person: SlackPerson) -> None:
        self._person = person
        self._place: Conversation = person.place

    def count(self) -> int:
        return len(self._messages())

    def look(self, after: int) -> list[Bubble]:
        now = self._place.now()
        bubbles = [_bubble(one, now) for one in self._messages()[after:]]
        bubbles += [
            Bubble(f"{draw_mrkdwn(one)}", one, "only you see this") for one in self._person.asides()
        ]
        thread = self._person.thread or ""
        if status := self._place.status(thread):
            bubbles.append(Bubble(f"{escape(status)}", is_bare=True))
        if self._place.can_be_stopped(thread):
            bubbles.append(Bubble(button("◼ Stop"), label="Slack's own", is_bare=True))
        return bubbles

    def question(self) -> str:
        asked = [one for one in self._place.shown(self._person.thread) if not one.is_from_bot][-1]
        return draw_mrkdwn(asked.text) + signs(_EMOJI.get(one, one) for one in asked.reactions)

    def _messages(self) -> list[Message]:
        return [one for one in self._place.shown(self._person.thread) if one.is_from_bot]


def _bubble(message: Message, now: float) -> Bubble:
    label = "streaming" if message.is_streaming(now) else "edited" if message.edited_ts else ""
    parts = [_task(task) for task in message.tasks]
    parts += [_block(block) for block in message.blocks] or [draw_mrkdwn(message.text)]
    images = [one.data for one in message.files if one.mime.startswith("image/")]
    if images:
        parts.append(picture(images[0]) if len(images) == 1 else pictures(images))
    others = (one for one in message.files if not one.mime.startswith("image/"))
    parts += [file_card(one.title or one.name, one.size) for one in others]
    return Bubble("".join(parts), _raw(message), label)


def _task(task: Task) -> str:
    detail = escape(task.output or task.details)
    return (
        f'<div class="task {task.status}"><span>{_STATES[task.status]}</span>'
        f"<div>{escape(task.title)}<small>{detail}</small></div></div>"
    )


def _block(block: dict[str, Any]) -> str:
    match block["type"]:
        case "markdown":
            return draw_markdown(block["text"])
        case "section":
            return draw_mrkdwn(block["text"]["text"])
        case "context":
            lines = "".join(draw_mrkdwn(one["text"]) for one in block["elements"])
            return f'<div class="context">{lines}</div>'
        case "actions":
            return button_row(
                button(one["text"]["text"], one.get("style", "")) for one in block["elements"]
            )
        case kind:
            return f"<em>{escape(kind)}</em>"


def _raw(message: Message) -> dict[str, Any]:
    facts: Iterable[tuple[str, Any]] = (
        ("blocks", message.blocks),
        ("text", message.text),
        ("tasks", [f"{one.title} | {one.status} | {one.output}" for one in message.tasks]),
        ("files", [f"{one.name}, {one.size} bytes" for one in message.files]),
    )
    return {name: value for name, value in facts if value}
