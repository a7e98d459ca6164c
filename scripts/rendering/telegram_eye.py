"""What a person sees in Telegram, from the messages that its server holds."""

import json
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from scripts.rendering.bubble import Bubble, button, button_row, file_card, picture, pictures, signs
from scripts.rendering.telegram_text import draw
from tests.fakes.telegram import Chat, FakeTelegram, Message
from tests.journeys.on_telegram import TelegramPerson


class TelegramEye:
    """Sees a chat, and the draft that grows in it."""

    def __init__(self, person: TelegramPerson) -> None:
        self._person = person
        self._chat: Chat = person.chat
        self._server: FakeTelegram = person.server

    def count(self) -> int:
        return len(self._messages())

    def look(self, after: int) -> list[Bubble]:
        messages = self._messages()[after:]
        albums = groupby(messages, key=lambda one: one.album or str(one.message_id))
        bubbles = [_bubble(list(album)) for _, album in albums]
        if self._chat.draft(self._person.thread) is not None:
            bubbles.append(self._draft())
        elif self._chat.is_typing():
            bubbles.append(Bubble("typing…", is_bare=True))
        return bubbles

    def question(self) -> str:
        asked = [one for one in self._chat.shown() if not one.is_from_bot][-1]
        return _words(asked) + signs(asked.reactions)

    def _messages(self) -> list[Message]:
        return [one for one in self._chat.shown(self._person.thread) if one.is_from_bot]

    def _draft(self) -> Bubble:
        sent = self._server.calls("sendMessageDraft", self._chat)[-1].parameters
        raw = {name: _plain(sent[name]) for name in ("text", "entities") if name in sent}
        draft = self._chat.draft(self._person.thread)
        stop = button_row([button("◼ Stop")]) if draft is not None and draft.can_stop else ""
        return Bubble(draw(raw["text"], raw.get("entities", ())) + stop, raw, "draft")


def _plain(value: Any) -> Any:
    """Read what a form carries as JSON."""
    return json.loads(value) if isinstance(value, str) and value.startswith("[{") else value


def _bubble(album: list[Message]) -> Bubble:
    first = album[0]
    label = "edited" if first.edited_at is not None else ""
    photos = [one.media.data for one in album if one.media and one.media.kind == "photo"]
    shown = "".join(map(_file, album)) if len(photos) != len(album) or not photos else ""
    if photos:
        shown += picture(photos[0]) if len(photos) == 1 else pictures(photos)
    captions = [_words(one) for one in album if one.text]
    buttons = [
        button_row(button(one["text"], one.get("style", "")) for one in row)
        for row in first.buttons or ()
    ]
    html = shown + "<br>".join(captions[:1] if len(photos) > 1 else captions) + "".join(buttons)
    return Bubble(html, list(map(_raw, album)) if len(album) > 1 else _raw(first), label)


def _file(message: Message) -> str:
    media = message.media
    if media is None or media.kind == "photo":
        return ""
    return file_card(media.name or media.kind, media.size)


def _words(message: Message) -> str:
    return draw(message.text, message.entities)


def _raw(message: Message) -> dict[str, Any]:
    media = message.media
    facts: Iterable[tuple[str, Any]] = (
        ("text", message.text),
        ("entities", list(message.entities)),
        ("reply_markup", message.buttons),
        (media.kind if media else "", media and f"{media.size} bytes"),
    )
    return {name: value for name, value in facts if value}
