"""The other side of the screen: what people do, and the updates it makes.

ann = server.user(42, "Ann")
ann.writes("hi")                                   # in the private chat with the bot
ann.writes("@parley_bot hi", chat=group, thread=topic)
ann.sends_photo(PNG, caption="look"); ann.sends_album([PNG, PNG], caption="both")
ann.presses("Approve")                             # on the newest message that has it
ann.presses_stop()                                 # under the draft that is shown
"""

from collections.abc import Sequence
from typing import Any

from tests.fakes.telegram.chat import Chat, Message
from tests.fakes.telegram.files import StoredFile
from tests.fakes.telegram.person import Person
from tests.fakes.telegram.text import Entity, Formatted, found, trimmed, units
from tests.fakes.telegram.world import Press


class User(Person):
    """Somebody who talks with the bot; see `Person` for reacting, blocking and the like."""

    def writes(
        self,
        text: str,
        *,
        chat: Chat | None = None,
        thread: int | None = None,
        reply_to: Message | None = None,
        quote: str = "",
        entities: Sequence[Entity] | None = None,
        **extra: Any,
    ) -> Message:
        """Write a text; commands, mentions and links in it get their entities.

        `extra` goes into the message's payload as it is (`forward_origin`, `via_bot`, ...).
        """
        shown = trimmed(text, list(found(text) if entities is None else entities))
        if quote and reply_to is not None:
            at = units(reply_to.text[: reply_to.text.index(quote)])
            extra["quote"] = {"text": quote, "position": at, "is_manual": True}
        return self._posts(shown, chat=chat, thread=thread, reply_to=reply_to, extra=extra)

    def sends(
        self,
        kind: str,
        data: bytes = b"file",
        *,
        name: str | None = None,
        mime: str | None = None,
        size: int | None = None,
        caption: str = "",
        chat: Chat | None = None,
        thread: int | None = None,
        reply_to: Message | None = None,
        album: str | None = None,
    ) -> Message:
        """Send a file as `photo`, `document`, `voice`, `video`, `audio`, `animation`, `sticker`.

        `size` may claim more bytes than there are.
        """
        media = self.world.files.keep(kind, data, name=name, mime=mime, size=size)
        return self._posts(
            trimmed(caption, list(found(caption))),
            chat=chat,
            thread=thread,
            reply_to=reply_to,
            media=media,
            album=album,
        )

    def sends_photo(self, data: bytes = b"\x89PNG photo", **more: Any) -> Message:
        return self.sends("photo", data, **more)

    def sends_document(self, name: str, data: bytes = b"document", **more: Any) -> Message:
        return self.sends("document", data, name=name, **more)

    def sends_voice(self, data: bytes = b"OggS voice", **more: Any) -> Message:
        return self.sends("voice", data, **{"mime": "audio/ogg", **more})

    def sends_album(
        self, photos: Sequence[bytes], *, caption: str = "", kind: str = "photo", **more: Any
    ) -> list[Message]:
        """Send several files at once: as many updates, one `media_group_id`."""
        album = self.world.next_name("group")
        captions = [caption, *[""] * (len(photos) - 1)]
        return [
            self.sends(kind, data, caption=words, album=album, **more)
            for data, words in zip(photos, captions, strict=True)
        ]

    def shares(self, what: str, value: dict[str, Any], *, chat: Chat | None = None) -> Message:
        """Send what has neither text nor file: `location`, `contact`, `poll`, `dice`, ..."""
        return self._posts(Formatted(""), chat=chat, extra={what: value})

    def edits(self, message: Message, text: str, *, chat: Chat | None = None) -> None:
        """Change an own message."""
        place = chat or self.chat
        shown = trimmed(text, list(found(text)))
        message.earlier.append(message.text)
        message.text, message.entities = shown.text, shown.entities
        message.edited_at = self.world.now()
        self.tell(place, "edited_message", self.world.payload(place, message))

    def presses(self, label: str, *, on: Message | None = None, chat: Chat | None = None) -> Press:
        """Press a button, on the newest message that has it unless `on` names one.

        Of one that is old, or deleted and still on somebody's screen, the bot learns little.
        """
        place = chat or self.chat
        candidates = [on] if on is not None else reversed(place.shown())
        for message in candidates:
            button = message.button(label)
            if button is not None:
                return self._press(place, message, button)
        raise AssertionError(f"no button {label!r} is shown")

    def _press(self, chat: Chat, message: Message, button: dict[str, Any]) -> Press:
        name, data = self.world.next_name("press"), button["callback_data"]
        press = Press(name, data, message, self.world.now())
        self.world.presses[press.press_id] = press
        query = {
            "id": press.press_id,
            "from": self.payload,
            "message": self._pressed(chat, message),
            "chat_instance": f"instance{chat.id}",
            "data": press.data,
        }
        self.tell(chat, "callback_query", query)
        return press

    def _pressed(self, chat: Chat, message: Message) -> dict[str, Any]:
        if not (message.is_deleted or message.is_old):
            return self.world.payload(chat, message)
        where = self.world.chat_payload(chat)
        return {"chat": where, "message_id": message.message_id, "date": 0}

    def presses_stop(self, *, thread: int | None = None) -> None:
        """Press the stop button under the draft that is shown."""
        draft = self.chat.draft(thread)
        if draft is None or not draft.can_stop:
            raise AssertionError("no draft with a stop button is shown")
        draft.is_stopped = True
        draft.is_over = not draft.keep_on_stop
        stopped = {"chat": self.world.chat_payload(self.chat), "draft_id": draft.draft_id}
        if thread is not None:
            stopped["message_thread_id"] = thread
        self.tell(self.chat, "stopped_message_generation", stopped)

    def _posts(
        self,
        shown: Formatted,
        *,
        chat: Chat | None = None,
        thread: int | None = None,
        reply_to: Message | None = None,
        media: StoredFile | None = None,
        album: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> Message:
        place = chat or self.chat
        if thread is None and reply_to is not None and place.kind == "supergroup":
            thread = reply_to.thread or reply_to.message_id
        message = Message(
            message_id=self.world.next_message_id(place),
            who=self.name,
            user=self.payload,
            at=self.world.now(),
            text=shown.text,
            entities=shown.entities,
            media=media,
            thread=thread,
            is_topic=thread in place.topics,
            reply_to=reply_to,
            album=album,
            extra=extra or {},
        )
        place.add(message)
        if self.world.reads_all_groups or place.kind == "private" or self._is_for_bot(message):
            self.tell(place, "message", self.world.payload(place, message))
        return message

    def _is_for_bot(self, message: Message) -> bool:
        """Whether privacy mode lets the bot see a group's message."""
        if message.reply_to is not None and message.reply_to.is_from_bot:
            return True
        name = f"@{self.world.bot['username']}".lower()
        first = message.text.partition(" ")[0]
        is_open_command = first.startswith("/") and "@" not in first
        return is_open_command or name in message.text.lower()
