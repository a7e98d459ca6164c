"""Which tools there are, and which of them an agent has."""

from collections.abc import Iterable, Sequence
from importlib.metadata import EntryPoint, entry_points

import structlog

from gateway.contracts.tool import Tool
from gateway.errors import ConfigInvalid

log = structlog.get_logger()

_OURS = "gateway.tools."


class ToolRegistry:
    """Tools by name. Builtin ones are every agent's unless it names its own choice."""

    def __init__(self, builtin: Iterable[Tool] = (), others: Iterable[Tool] = ()) -> None:
        self._builtin: dict[str, Tool] = {}
        self._others: dict[str, Tool] = {}
        for tool in builtin:
            self.add(tool)
        for tool in others:
            self._add_other(tool)

    @classmethod
    def load(cls) -> "ToolRegistry":
        """Gather what the group `parley.tools` names; what cannot be loaded is logged."""
        entries = sorted(entry_points(group="parley.tools"), key=lambda entry: entry.name)
        return cls(
            [tool for entry in entries if _is_ours(entry) for tool in _make(entry)],
            [tool for entry in entries if not _is_ours(entry) for tool in _make(entry)],
        )

    def add(self, tool: Tool) -> None:
        """Give a tool to every agent that has not chosen, in place of one with its name."""
        self._builtin[tool.name] = tool
        self._others.pop(tool.name, None)

    def select(self, names: Sequence[str] | None, path: str) -> tuple[Tool, ...]:
        """Return an agent's tools in a fixed order; `path` is the setting that names them.

        Raises:
            ConfigInvalid: a name stands for no tool.
        """
        if names is None:
            return tuple(self._builtin[name] for name in sorted(self._builtin))
        known = self._others | self._builtin
        for name in names:
            if name not in known:
                there_are = ", ".join(sorted(known))
                raise ConfigInvalid(path, f"there is no tool `{name}`; there are: {there_are}")
        return tuple(known[name] for name in sorted(set(names)))

    def _add_other(self, tool: Tool) -> None:
        if tool.name in self._builtin or tool.name in self._others:
            log.warning("tool.shadowed", tool=tool.name)
        else:
            self._others[tool.name] = tool


def _is_ours(entry: EntryPoint) -> bool:
    return entry.value.startswith(_OURS)


def _make(entry: EntryPoint) -> Sequence[Tool]:
    try:
        tools: Sequence[Tool] = entry.load()()
    except Exception:
        log.exception("tools.not_loaded", entry=entry.name)
        return ()
    return tools
