"""Which tools there are, and which of them an agent has."""

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points

import structlog

from gateway.contracts.tool import Tool
from gateway.errors import ConfigInvalid
from gateway.ids import AgentId
from gateway.settings import AgentSettings, GatewaySettings, RoleTools

log = structlog.get_logger()

_OURS = "gateway.tools."


class ToolRegistry:
    """Tools by name. Builtin ones are every agent's unless it names its own choice."""

    def __init__(self, builtin: Iterable[Tool] = (), others: Iterable[Tool] = ()) -> None:
        self._builtin = {tool.name: tool for tool in builtin}
        self._known = dict(self._builtin)
        for tool in others:
            self._add(tool)

    def _add(self, tool: Tool) -> None:
        if self._known.setdefault(tool.name, tool) is not tool:
            log.warning("tool.shadowed", tool=tool.name)

    @classmethod
    def load(cls) -> "ToolRegistry":
        """Gather what the group `parley.tools` names; what cannot be loaded is logged."""
        entries = sorted(entry_points(group="parley.tools"), key=lambda entry: entry.name)
        return cls(
            [tool for entry in entries if _is_ours(entry) for tool in _make(entry)],
            [tool for entry in entries if not _is_ours(entry) for tool in _make(entry)],
        )

    def select(self, names: Sequence[str] | None, path: str) -> tuple[Tool, ...]:
        """Return an agent's tools in a fixed order; `path` is the setting that names them.

        Raises:
            ConfigInvalid: a name stands for no tool.
        """
        if names is None:
            return tuple(self._builtin[name] for name in sorted(self._builtin))
        for name in names:
            if name not in self._known:
                there_are = ", ".join(sorted(self._known))
                raise ConfigInvalid(path, f"there is no tool `{name}`; there are: {there_are}")
        return tuple(self._known[name] for name in sorted(set(names)))


def check_tools(
    settings: GatewaySettings, agents: Mapping[AgentId, AgentSettings], registry: ToolRegistry
) -> None:
    """Look whether every tool that the settings name exists.

    Raises:
        ConfigInvalid: one does not.
    """
    for name, agent in agents.items():
        registry.select(agent.tools, f"agents.{name}.tools")
        registry.select(agent.approvals, f"agents.{name}.approvals")
        for role in RoleTools.model_fields:
            named = getattr(agent.tools_for, role)
            registry.select(named, f"agents.{name}.tools_for.{role}")
    groups = settings.access.groups
    for place, its in groups.items() if isinstance(groups, dict) else ():
        registry.select(its.tools, f"access.groups.{place}.tools")


def _is_ours(entry: EntryPoint) -> bool:
    return entry.value.startswith(_OURS)


def _make(entry: EntryPoint) -> Sequence[Tool]:
    try:
        tools: Sequence[Tool] = entry.load()()
    except Exception:
        log.exception("tools.not_loaded", entry=entry.name)
        return ()
    return tools
