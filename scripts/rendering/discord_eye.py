"""What a person sees in Discord, from the messages that its server holds."""

from collections.abc import Iterable
from typing import Any

from scripts.rendering.bubble import Bubble, button, button_row, file_card, picture, pictures, signs
from scripts.rendering.discord_text import draw
from tests.fakes.discord import Channel, Message
from tests.journeys.on_discord import DiscordPerson

_STYLES = {1: "primary", 3: "success", 4: "danger"}


class DiscordEye:
    """Sees a channel, with what is for this person alone."""

    def __init__(self, person: DiscordPerson) -> None:
        self._person = person
        self._channel: Channel = person.channel

    def count(self) -> int:
        return len(self._messages())

    def look(self, after: int) -> list[Bubble]:
        bubbles = [_bubble(one) for one in self._messages()[after:]]
        if self._channel.is_typing():
            bubbles.append(Bubble("Parley is typing…", is_bare=True))
        return bubbles

    def question(self) -> str:
        asked = [one for one in self._channel.shown() if not one.is_from_bot][-1]
        return draw(asked.content) + signs(asked.reactions)

    def _messages(self) -> list[Message]:
        return [one for one in self._channel.shown(self._person.user.id) if one.is_from_bot]


def _bubble(message: Message) -> Bubble:
    label = "edited" if message.edited_at is not None else ""
    parts = [draw(message.content)]
    images = [one.data for one in message.files if one.is_image]
    if images:
        parts.append(picture(images[0]) if len(images) == 1 else pictures(images))
    parts += [file_card(one.name, one.size) for one in message.files if not one.is_image]
    parts += [_row(row) for row in message.components]
    return Bubble("".join(parts), _raw(message), label)


def _row(row: dict[str, Any]) -> str:
    """Draw a row of buttons, or a menu."""
    parts = row.get("components") or []
    return button_row(
        button(part.get("label") or part.get("placeholder") or "…", _looks(part)) for part in parts
    )


def _looks(part: dict[str, Any]) -> str:
    style = _STYLES.get(part.get("style", 0), "")
    return f"{style} disabled" if part.get("disabled") else style


def _raw(message: Message) -> dict[str, Any]:
    facts: Iterable[tuple[str, Any]] = (
        ("content", message.content),
        ("components", message.components),
        ("attachments", [f"{one.name}, {one.size} bytes" for one in message.files]),
        ("flags", message.flags),
    )
    return {name: value for name, value in facts if value}
