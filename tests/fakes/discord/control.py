"""What `/_control/<verb>` can do when the fake runs in a process of its own.

POST with a JSON object, or a list of them for `writes`:

    writes   {"user": 42, "name": "Ann", "text": "hi", "channel": 123}
    press    {"user": 42, "label": "Approve", "channel": 123}
    use      {"user": 42, "command": "new", "options": {}, "channel": 123}
    guild    {"name": "Team", "users": [42], "channels": ["general"]}
             answers {"guild": ..., "channels": {"general": ...}}
    thread   {"channel": 123, "name": "News", "user": 42}
    event    {"name": "SOMETHING", "data": {...}}      any event, as it is
    gateway  {"do": "closes", "code": 4000}            or asks_reconnect, invalidates, forgets,
                                                       goes_silent, breaks_off
    rates    {"enabled": true, "overall": 50, ...}
    direct   {"user": 42}                   the id of the conversation with somebody
    channel  {"channel": 123}               what it shows; or {"user": 42}
    channels {}                             what all show
    log      {"since": 0}                   calls from that number on
    state    {}                             counts
    wait     {"messages": 10, "contains": "done", "timeout": 30}
             until so many channels' newest message is of the bot and contains that
    faults   [...]                          see tests/fakes/faults.py
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from itertools import islice
from typing import Any

from tests.fakes.discord.message import Message
from tests.fakes.discord.people import User
from tests.fakes.discord.places import Channel
from tests.fakes.discord.servers import make_guild
from tests.fakes.discord.world import World

_COALESCE = 0.02
_TROUBLE = frozenset({
    "closes", "asks_reconnect", "invalidates", "forgets", "goes_silent", "breaks_off",
})  # fmt: skip


class Control:
    """The verbs, each taking and giving JSON."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._users: dict[int, User] = {}
        self.verbs: dict[str, Callable[[Any], Awaitable[Any]]] = {
            "writes": self._writes,
            "press": self._press,
            "use": self._use,
            "guild": self._guild,
            "thread": self._thread,
            "event": self._event,
            "gateway": self._gateway,
            "rates": self._rates,
            "direct": self._direct,
            "channel": self._channel,
            "channels": self._channels,
            "log": self._log,
            "state": self._state,
            "wait": self._wait,
        }

    def _user(self, given: dict[str, Any]) -> User:
        user_id = given["user"]
        if user_id not in self._users:
            self._users[user_id] = User(self._world, user_id, given.get("name", f"U{user_id}"))
        return self._users[user_id]

    def _place(self, given: dict[str, Any]) -> Channel | None:
        return self._world.channels[int(given["channel"])] if given.get("channel") else None

    async def _writes(self, body: Any) -> Any:
        written = []
        for one in body if isinstance(body, list) else [body]:
            message = self._user(one).writes(one["text"], channel=self._place(one))
            written.append(str(message.id))
        return written

    async def _press(self, body: Any) -> Any:
        return str(self._user(body).presses(body["label"], channel=self._place(body)).id)

    async def _use(self, body: Any) -> Any:
        options = body.get("options") or {}
        used = self._user(body).uses(body["command"], channel=self._place(body), **options)
        return str(used.id)

    async def _guild(self, body: Any) -> Any:
        members = [self._user({"user": one}).id for one in body.get("users", [])]
        guild = make_guild(self._world, body["name"], members)
        named = {name: str(guild.text(name).id) for name in body.get("channels", ["general"])}
        return {"guild": str(guild.id), "channels": named}

    async def _thread(self, body: Any) -> Any:
        parent = self._world.channels[int(body["channel"])]
        return str(self._user(body).opens_thread(parent, body["name"]).id)

    async def _event(self, body: Any) -> Any:
        self._world.gateway.push(body["name"], body["data"])
        return True

    async def _gateway(self, body: Any) -> Any:
        if body["do"] not in _TROUBLE:
            raise LookupError(body["do"])
        more = {name: value for name, value in body.items() if name != "do"}
        getattr(self._world.gateway, body["do"])(**more)
        return True

    async def _rates(self, body: Any) -> Any:
        for name, value in body.items():
            setattr(self._world.rates, name, value)
        return body

    async def _direct(self, body: Any) -> Any:
        return str(self._user(body).dm.id)

    async def _channel(self, body: Any) -> Any:
        return _shown(self._place(body) or self._user(body).dm)

    async def _channels(self, _: Any) -> Any:
        return {str(number): _shown(one) for number, one in self._world.channels.items()}

    async def _log(self, body: Any) -> Any:
        return [asdict(one) for one in islice(self._world.log, body.get("since", 0), None)]

    async def _state(self, _: Any) -> Any:
        gateway = self._world.gateway
        return {
            "connected": gateway.is_connected,
            "identifies": gateway.identifies,
            "resumes": gateway.resumes,
            "welcomes": gateway.welcomes,
            "refused": gateway.refused,
            "commands": sum(map(len, self._world.commands.values())),
            "calls": len(self._world.log),
            "calls_in_penalty": self._world.rates.calls_in_penalty,
            "pings": len(self._world.pings),
            "unknown_fields": [list(name) for name in self._world.unknown_fields],
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
        newest = [_newest(channel) for channel in self._world.channels.values()]
        return sum(one is not None and one.is_from_bot and words in one.text for one in newest)


def _newest(channel: Channel) -> Message | None:
    return next((one for one in reversed(channel.messages.values()) if not one.is_deleted), None)


def _shown(channel: Channel) -> list[dict[str, Any]]:
    return [
        {
            "id": str(one.id),
            "who": one.who,
            "text": one.text,
            "content": one.content,
            "edits": one.edits,
            "buttons": one.labels,
            "files": [file.name for file in one.files],
            "at": one.at,
            "edited_at": one.edited_at,
        }
        for one in channel.shown()
    ]
