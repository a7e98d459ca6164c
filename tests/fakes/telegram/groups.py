"""Groups: topics, membership of the bot, and the move to a supergroup.

team = server.supergroup("Team", [ann, bob], is_forum=True)
news = team.topic("News")
ann.writes("hi", chat=team, thread=news)
"""

from collections.abc import Iterable
from typing import Any

from tests.fakes.telegram.chat import Chat, Message
from tests.fakes.telegram.people import User
from tests.fakes.telegram.world import World

_SUPERGROUP = -1_000_000_000_000
_FIRST_NUMBER = 5_000


class Group(Chat):
    """A group or supergroup with the bot in it."""

    def __init__(self, world: World, chat_id: int, kind: str, **fields: Any) -> None:
        super().__init__(chat_id, kind, clock_now=world.now, **fields)
        self._world = world
        world.chats[chat_id] = self

    def topic(self, name: str) -> int:
        """Open a topic of a forum; return its `message_thread_id`."""
        thread = self._world.next_message_id(self)
        self.topics[thread] = name
        return thread

    def closes_topic(self, thread: int) -> None:
        self.closed_topics.add(thread)

    def deletes_topic(self, thread: int) -> None:
        del self.topics[thread]

    def adds_bot(self, by: User) -> None:
        """Tell the bot that somebody added it."""
        self.is_reachable = True
        by.membership(self, "left", "member")

    def removes_bot(self, by: User) -> None:
        """Remove the bot: it may not write here any more."""
        self.is_reachable = False
        self.unreachable_because = f"bot was kicked from the {self.kind} chat"
        by.membership(self, "member", "kicked")

    def migrates(self, by: User) -> "Group":
        """Become a supergroup with a new id, with both service messages; return it."""
        number = self._world.next_name("")
        new = Group(
            self._world,
            _SUPERGROUP - _FIRST_NUMBER - int(number),
            "supergroup",
            title=self.title,
            members=self.members,
        )
        self._serves(by, migrate_to_chat_id=new.id)
        self.migrated_to = new.id
        new._serves(by, migrate_from_chat_id=self.id)
        return new

    def _serves(self, by: User, **extra: Any) -> None:
        """Add a service message."""
        message = Message(
            message_id=self._world.next_message_id(self),
            who=by.name,
            user=by.payload,
            at=self._world.now(),
            extra=extra,
        )
        self.add(message)
        self._world.updates.push({"message": self._world.payload(self, message)})
        self._world.changed(self)


def make_group(
    world: World, kind: str, title: str, members: Iterable[User], *, is_forum: bool = False
) -> Group:
    """Make a group with the bot and these people in it."""
    number = int(world.next_name(""))
    chat_id = -_FIRST_NUMBER - number
    if kind == "supergroup":
        chat_id += _SUPERGROUP
    ids = [user.id for user in members]
    return Group(world, chat_id, kind, title=title, members=ids, is_forum=is_forum)
