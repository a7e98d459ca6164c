"""Somebody with an account: the private chat with the bot, and all that is no talking."""

from typing import Any

from tests.fakes.telegram.chat import Chat, Message
from tests.fakes.telegram.world import World


class Person:
    """Everything done becomes an update for the bot, if the bot wants such updates."""

    def __init__(self, world: World, user_id: int, name: str, **fields: Any) -> None:
        self.world = world
        self.id = user_id
        self.name = name
        self.payload: dict[str, Any] = {
            "id": user_id,
            "is_bot": False,
            "first_name": name,
            **fields,
        }
        world.users[user_id] = self.payload

    @property
    def chat(self) -> Chat:
        """The private chat with the bot; it begins when it is first used."""
        known = self.world.chats.get(self.id)
        return known or self.world.add_chat(self.id, "private", members=[self.id])

    def opens_topic(self, name: str) -> int:
        """Open a topic in the private chat; return its `message_thread_id`."""
        self.world.has_topics_in_private = True
        thread = self.world.next_message_id(self.chat)
        self.chat.topics[thread] = name
        return thread

    def deletes(self, message: Message, *, chat: Chat | None = None) -> None:
        """Take an own message back; bots are not told."""
        message.is_deleted = True
        self.world.changed(chat or self.chat)

    def reacts(self, message: Message, emoji: str, *, chat: Chat | None = None) -> None:
        """React to a message; bots hear of it only if they asked for it."""
        place = chat or self.chat
        before = message.reacted.pop(self.name, None)
        old = [] if before is None else [{"type": "emoji", "emoji": before}]
        message.reacted[self.name] = emoji
        reaction = {
            "chat": self.world.chat_payload(place),
            "message_id": message.message_id,
            "user": self.payload,
            "date": int(self.world.now()),
            "old_reaction": old,
            "new_reaction": [{"type": "emoji", "emoji": emoji}],
        }
        self.tell(place, "message_reaction", reaction)

    def blocks(self) -> None:
        """Block the bot: its messages are refused from now on."""
        self.chat.is_reachable = False
        self.chat.unreachable_because = "bot was blocked by the user"
        self.membership(self.chat, "member", "kicked")

    def unblocks(self) -> None:
        self.chat.is_reachable = True
        self.membership(self.chat, "kicked", "member")

    def membership(self, chat: Chat, old: str, new: str) -> None:
        """Tell the bot that its own standing in a chat was changed by this person."""
        changed = {
            "chat": self.world.chat_payload(chat),
            "from": self.payload,
            "date": int(self.world.now()),
            "old_chat_member": {"status": old, "user": self.world.bot},
            "new_chat_member": {"status": new, "user": self.world.bot},
        }
        self.tell(chat, "my_chat_member", changed)

    def tell(self, chat: Chat, kind: str, value: dict[str, Any]) -> None:
        """Queue an update of this kind."""
        self.world.updates.push({kind: value})
        self.world.changed(chat)
