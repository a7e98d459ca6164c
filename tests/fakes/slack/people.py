"""The other side of the screen: what people say, and the events it makes.

ann = server.user("U0ANN", "Ann")
root = ann.writes("hi")                            # in the direct messages with the app
ann.writes("and then?", thread=root.ts)
ann.writes(f"{server.mention} hi", place=channel)  # two events, one message
ann.sends({"notes.txt": b"..."}, "look")
ann.presses("Approve"); ann.presses_stop(root.ts)
"""

import mimetypes
import uuid
from collections.abc import Mapping
from typing import Any

from tests.fakes.slack.conversation import Conversation, Message
from tests.fakes.slack.events import tell_changed, tell_deleted, tell_message
from tests.fakes.slack.files import StoredFile
from tests.fakes.slack.payloads import message_payload
from tests.fakes.slack.person import Person
from tests.fakes.slack.typed import rich_text
from tests.fakes.slack.uploads import note_shares


class User(Person):
    """Somebody who talks with the app; see `Person` for pressing, reacting and the like."""

    def writes(
        self,
        words: str,
        *,
        place: Conversation | None = None,
        thread: str | None = None,
        blocks: list[dict[str, Any]] | None = None,
        **extra: Any,
    ) -> Message:
        """Write a message; `extra` goes into its payload as it is."""
        where = place or self.dm
        text, typed = rich_text(words)
        message = self._add(
            where, text, thread, blocks=typed if blocks is None else blocks, extra=extra
        )
        tell_message(self.world, where, message)
        return message

    def sends(
        self,
        files: Mapping[str, bytes],
        words: str = "",
        *,
        place: Conversation | None = None,
        thread: str | None = None,
        only_file_events: bool = False,
        **facts: Any,
    ) -> Message:
        """Send files with words to them, in one message.

        With `only_file_events` the message itself is told by no event, as it happens to
        messages with several files. `facts` are fields of the files: `size` may claim more
        bytes than there are, `needs_info` makes them those of a foreign workspace.
        """
        where = place or self.dm
        text, typed = rich_text(words)
        kept = [self._file(name, data, **facts) for name, data in files.items()]
        message = self._add(where, text, thread, blocks=typed, files=kept)
        if not only_file_events:
            tell_message(self.world, where, message)
        note_shares(self.world, where, kept, message.ts, thread)
        return message

    def edits(self, message: Message, words: str, *, place: Conversation | None = None) -> None:
        """Change an own message."""
        where = place or self.dm
        before = message_payload(self.world, where, message)
        message.earlier.append(message.shown)
        message.text, message.blocks = rich_text(words)
        message.edited_ts, message.edited_by = self.world.next_ts(), self.id
        self.world.changed(where)
        tell_changed(self.world, where, message, before)

    def deletes(self, message: Message, *, place: Conversation | None = None) -> None:
        """Take an own message back."""
        where = place or self.dm
        before = message_payload(self.world, where, message)
        message.is_deleted = True
        self.world.changed(where)
        tell_deleted(self.world, where, message, before)

    def _add(self, place: Conversation, text: str, thread: str | None, **fields: Any) -> Message:
        extra: dict[str, Any] = {"client_msg_id": str(uuid.uuid4()), "team": self.team}
        if self.team != self.world.team["id"]:
            extra |= {"user_team": self.team, "source_team": self.team}
        extra |= fields.pop("extra", {})
        message = Message(
            ts=self.world.next_ts(),
            who=self.name,
            user=self.id,
            at=self.world.now(),
            text=text,
            thread_ts=thread,
            extra=extra,
            **fields,
        )
        return self.world.add(place, message)

    def _file(self, name: str, data: bytes, **facts: Any) -> StoredFile:
        mime = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return self.world.files.keep(
            name, data, mime, user=self.id, team=self.team, at=self.world.now(), **facts
        )


class OtherBot:
    """Another app, that talks where ours can hear it."""

    def __init__(self, person: Person) -> None:
        self._world = person.world
        self.name = person.name
        self._number = self._world.next_name("")

    def writes(self, words: str, place: Conversation, thread: str | None = None) -> Message:
        message = Message(
            ts=self._world.next_ts(),
            who=self.name,
            user=f"UBOT{self._number}",
            at=self._world.now(),
            text=words,
            thread_ts=thread,
            extra={
                "subtype": "bot_message",
                "bot_id": f"BBOT{self._number}",
                "app_id": f"ABOT{self._number}",
                "username": self.name,
            },
        )
        self._world.add(place, message)
        tell_message(self._world, place, message)
        return message
