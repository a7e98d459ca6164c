"""`parley` in a process that kills itself at one point: after a commit, or around a call.

    DOOM=inbox.keep python -m tests.fakes.doomed serve --config parley.yaml
    DOOM=17 python -m tests.fakes.doomed serve --config parley.yaml   # at the 17th point

The points are not written into the product: they are every commit, named after the store's
method that made it, every call of an adapter, before and after, and every end of a tool. With
`DOOM_LOG` each point that is reached is appended to that file; the last one is where it died.
"""

import functools
import itertools
import os
import signal
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from importlib import import_module
from pathlib import Path
from typing import Any

from gateway.cli.main import main
from gateway.inbound import erasing
from gateway.inbound.gate import Gate
from gateway.store.database import Database
from gateway.store.store import SqlStore
from gateway.tools.executor import ToolExecutor

_DOOM = os.environ.get("DOOM", "")
_LOG = os.environ.get("DOOM_LOG", "")
_ADAPTERS = {
    "adapters.telegram.adapter": "TelegramAdapter",
    "adapters.discord.adapter": "DiscordAdapter",
    "adapters.slack.adapter": "SlackAdapter",
}
_CALLS = ("send", "edit", "send_files", "delete", "find_sent")
_reached = itertools.count(1)
_committing: ContextVar[str] = ContextVar("committing", default="store.unnamed")

Method = Callable[..., Awaitable[Any]]


def reach(point: str) -> None:
    """Note that the process came here; end it, if this is where it is to end."""
    if _LOG:
        with Path(_LOG).open("a") as log:
            log.write(f"{point}\n")
    if _DOOM in {point, str(next(_reached))}:
        os.kill(os.getpid(), signal.SIGKILL)


def named(name: str, method: Method) -> Method:
    """Let commits that a method makes carry its name."""

    @functools.wraps(method)
    async def wrapped(*given: Any, **more: Any) -> Any:
        token = _committing.set(name)
        try:
            return await method(*given, **more)
        finally:
            _committing.reset(token)

    return wrapped


def around(name: str, method: Method) -> Method:
    @functools.wraps(method)
    async def wrapped(*given: Any, **more: Any) -> Any:
        reach(f"before {name}")
        done = await method(*given, **more)
        reach(f"after {name}")
        return done

    return wrapped


def after(name: Callable[[], str], method: Method) -> Method:
    @functools.wraps(method)
    async def wrapped(*given: Any, **more: Any) -> Any:
        done = await method(*given, **more)
        reach(name())
        return done

    return wrapped


def arm() -> None:
    """Put the points where they belong."""
    _name_commits()
    _replace(Database, "write", after(_committing.get, Database.write))
    _replace(Gate, "accept", after(lambda: "message accepted", Gate.accept))
    _replace(ToolExecutor, "run", after(lambda: "tool ended", ToolExecutor.run))
    for module, name in _ADAPTERS.items():
        adapter = getattr(import_module(module), name)
        for call in _CALLS:
            if hasattr(adapter, call):
                _replace(adapter, call, around(f"adapter.{call}", getattr(adapter, call)))
    erasing._LOOK_EVERY = erasing._TURNS_END_WITHIN = 0.2


def _name_commits() -> None:
    init = SqlStore.__init__

    @functools.wraps(init)
    def wrapped(self: SqlStore, *given: Any, **more: Any) -> None:
        init(self, *given, **more)
        for part, held in vars(self).items():
            for name in dir(held):
                if not part.startswith("_") and not name.startswith("_"):
                    method = getattr(held, name)
                    if callable(method) and _is_async(method):
                        setattr(held, name, named(f"{part}.{name}", method))

    _replace(SqlStore, "__init__", wrapped)


def _replace(owner: object, name: str, value: object) -> None:
    setattr(owner, name, value)


def _is_async(method: Any) -> bool:
    return bool(getattr(method, "__code__", None)) and bool(method.__code__.co_flags & 0x80)


if __name__ == "__main__":
    arm()
    main()
