"""What `/_control/<verb>` can do when the fake runs in a process of its own.

POST with a JSON object, or a list of them for `writes`:

    writes  {"user": 42, "name": "Ann", "text": "hi", "chat": -5001, "thread": 7}
    press   {"user": 42, "label": "Approve", "chat": -5001}
    stop    {"user": 42}                    the stop button under the draft
    update  {...}                           any update, as it is
    group   {"title": "Team", "kind": "supergroup", "is_forum": true, "users": [42]}
    topic   {"chat": -100..., "name": "News"}
    rates   {"enabled": true, "private_per_second": 1.0, ...}
    chat    {"chat": 42}                    what it shows
    chats   {}                              what all show
    log     {"since": 0}                    calls from that number on
    state   {}                              counts
    wait    {"messages": 10, "contains": "done", "timeout": 30}
            until so many chats' newest message is of the bot and contains that
    faults  [...]                           see tests/fakes/faults.py
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from itertools import islice
from typing import Any

from tests.fakes.telegram.chat import Chat, Message
from tests.fakes.telegram.groups import make_group
from tests.fakes.telegram.people import User
from tests.fakes.telegram.world import World

_COALESCE = 0.02


class Control:
    """The verbs, each taking and giving JSON."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._users: dict[int, User] = {}
        self.verbs: dict[str, Callable[[Any], Awaitable[Any]]] = {
            "writes": self._writes,
            "press": self._press,
            "stop": self._stop,
            "update": self._update,
            "group": self._group,
            "topic": self._topic,
            "rates": self._rates,
            "chat": self._chat,
            "chats": self._chats,
            "log": self._log,
            "state": self._state,
            "wait": self._wait,
        }

    def _user(self, given: dict[str, Any]) -> User:
        user_id = given["user"]
        if user_id not in self._users:
            self._users[user_id] = User(self._world, user_id, given.get("name", f"U{user_id}"))
        return self._users[user_id]

    def _place(self, given: dict[str, Any]) -> Chat | None:
        return self._world.chats[given["chat"]] if given.get("chat") else None

    async def _writes(self, body: Any) -> Any:
        written = []
        for one in body if isinstance(body, list) else [body]:
            message = self._user(one).writes(
                one["text"], chat=self._place(one), thread=one.get("thread")
            )
            written.append(message.message_id)
        return written

    async def _press(self, body: Any) -> Any:
        return self._user(body).presses(body["label"], chat=self._place(body)).press_id

    async def _stop(self, body: Any) -> Any:
        self._user(body).presses_stop()
        return True

    async def _update(self, body: Any) -> Any:
        return self._world.updates.push(body)

    async def _group(self, body: Any) -> Any:
        members = [self._user({"user": one}) for one in body.get("users", [])]
        is_forum = bool(body.get("is_forum"))
        kind = body.get("kind", "group")
        return make_group(self._world, kind, body["title"], members, is_forum=is_forum).id

    async def _topic(self, body: Any) -> Any:
        chat = self._world.chats[body["chat"]]
        thread = self._world.next_message_id(chat)
        chat.topics[thread] = body["name"]
        return thread

    async def _rates(self, body: Any) -> Any:
        for name, value in body.items():
            setattr(self._world.rates, name, value)
        return body

    async def _chat(self, body: Any) -> Any:
        return _shown(self._world.chats[body["chat"]])

    async def _chats(self, body: Any) -> Any:
        return {chat_id: _shown(chat) for chat_id, chat in self._world.chats.items()}

    async def _log(self, body: Any) -> Any:
        log = self._world.log
        return [asdict(one) for one in islice(log, body.get("since", 0), None)]

    async def _state(self, body: Any) -> Any:
        updates = self._world.updates
        return {
            "pending": len(updates.pending),
            "confirmed": updates.confirmed,
            "polls": updates.polls,
            "conflicts": updates.conflicts,
            "calls": len(self._world.log),
            "calls_in_penalty": self._world.rates.calls_in_penalty,
            "unknown_parameters": [list(name) for name in self._world.unknown_parameters],
        }

    async def _wait(self, body: Any) -> Any:
        """Wait, looking again at most fifty times a second."""
        wanted, words = body["messages"], body.get("contains", "")
        try:
            async with asyncio.timeout(body.get("timeout", 30)):
                while self._answered(words) < wanted:
                    await self._world.watch.next()
                    await asyncio.sleep(_COALESCE)
        except TimeoutError:
            return {"ok": False, "messages": self._answered(words)}
        return {"ok": True, "messages": self._answered(words)}

    def _answered(self, words: str) -> int:
        newest = [_newest(chat) for chat in self._world.chats.values()]
        return sum(one is not None and one.is_from_bot and words in one.text for one in newest)


def _newest(chat: Chat) -> Message | None:
    return next((one for one in reversed(chat.messages.values()) if not one.is_deleted), None)


def _shown(chat: Chat) -> list[dict[str, Any]]:
    return [
        {
            "message_id": one.message_id,
            "who": one.who,
            "text": one.text,
            "edits": one.edits,
            "thread": one.thread,
            "buttons": one.labels,
            "reactions": one.reactions,
            "media": one.media and one.media.kind,
            "at": one.at,
            "edited_at": one.edited_at,
        }
        for one in chat.shown()
    ]
