"""What `/_control/<verb>` can do when the fake runs in a process of its own.

POST with a JSON object, or a list of them for `writes`:

    writes  {"user": "U0ANN", "name": "Ann", "text": "hi", "channel": "C...", "thread": "1.2"}
            answers with the `ts` of each
    press   {"user": "U0ANN", "label": "Approve", "channel": "C..."}
    stop    {"user": "U0ANN", "thread": "1.2"}      the native stop button
    command {"user": "U0ANN", "command": "/parley", "text": "status"}
    channel {"name": "team", "kind": "channel", "users": ["U0ANN"]}
    rates   {"enabled": true, ...}
    shown   {"channel": "D0ANN"}                    what it shows
    all     {}                                      what all show
    log     {"since": 0}                            calls from that number on
    state   {}                                      counts
    wait    {"messages": 10, "contains": "done", "timeout": 30}
            until so many threads' newest message is of the app, ended, and contains that
    faults  [...]                                   see tests/fakes/faults.py
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from itertools import islice
from typing import Any

from tests.fakes.slack.conversation import Conversation, Message
from tests.fakes.slack.people import User
from tests.fakes.slack.world import World

_COALESCE = 0.02


class Control:
    """The verbs, each taking and giving JSON."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._users: dict[str, User] = {}
        self.verbs: dict[str, Callable[[Any], Awaitable[Any]]] = {
            "writes": self._writes,
            "press": self._press,
            "stop": self._stop,
            "command": self._command,
            "channel": self._channel,
            "rates": self._rates,
            "shown": self._shown,
            "all": self._all,
            "log": self._log,
            "state": self._state,
            "wait": self._wait,
        }

    def _user(self, given: dict[str, Any]) -> User:
        user = given["user"]
        if user not in self._users:
            self._users[user] = User(self._world, user, given.get("name", user))
        return self._users[user]

    def _place(self, given: dict[str, Any]) -> Conversation | None:
        channel = given.get("channel")
        return self._world.conversations[channel] if channel else None

    async def _writes(self, body: Any) -> Any:
        written = []
        for one in body if isinstance(body, list) else [body]:
            message = self._user(one).writes(
                one["text"], place=self._place(one), thread=one.get("thread")
            )
            written.append(message.ts)
        return written

    async def _press(self, body: Any) -> Any:
        self._user(body).presses(body["label"], place=self._place(body))
        return True

    async def _stop(self, body: Any) -> Any:
        self._user(body).presses_stop(body["thread"], place=self._place(body))
        return True

    async def _command(self, body: Any) -> Any:
        self._user(body).commands(body["command"], body.get("text", ""), place=self._place(body))
        return True

    async def _channel(self, body: Any) -> Any:
        members = [self._user({"user": one}).id for one in body.get("users", [])]
        return self._world.open(body.get("kind", "channel"), members, name=body["name"]).id

    async def _rates(self, body: Any) -> Any:
        for name, value in body.items():
            setattr(self._world.rates, name, value)
        return body

    async def _shown(self, body: Any) -> Any:
        return _told(self._world.conversations[body["channel"]])

    async def _all(self, body: Any) -> Any:
        return {channel: _told(one) for channel, one in self._world.conversations.items()}

    async def _log(self, body: Any) -> Any:
        return [asdict(one) for one in islice(self._world.log, body.get("since", 0), None)]

    async def _state(self, body: Any) -> Any:
        world = self._world
        return {
            "pending": len(world.deliveries.pending),
            "lost": len(world.deliveries.lost),
            "told": len(world.deliveries.log),
            "calls": len(world.log),
            "calls_in_penalty": world.rates.calls_in_penalty,
            "unknown_arguments": [list(name) for name in world.unknown_arguments],
            "pings": [asdict(one) for one in world.pings],
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
        now = self._world.now()
        return sum(
            one.is_from_bot and words in one.shown and not one.is_streaming(now)
            for place in self._world.conversations.values()
            for one in _newest(place)
        )


def _newest(place: Conversation) -> list[Message]:
    """Return the newest message of each thread, and of what is beside the threads."""
    last: dict[str, Message] = {}
    for message in place.shown():
        last[message.thread_ts or message.ts] = message
    return list(last.values())


def _told(place: Conversation) -> list[dict[str, Any]]:
    now = place.now()
    return [
        {
            "ts": one.ts,
            "thread": one.thread_ts,
            "who": one.who,
            "text": one.shown,
            "edits": len(one.earlier),
            "buttons": one.labels,
            "files": [stored.name for stored in one.files],
            "tasks": [[task.title, task.status] for task in one.tasks],
            "is_streaming": one.is_streaming(now),
            "is_broken": one.is_broken,
            "at": one.at,
        }
        for one in place.shown()
    ]
