"""Finds a provider by the name an agent gives; nothing is imported that is not used."""

from importlib.metadata import EntryPoint, entry_points
from typing import cast

from gateway.contracts.provider import MakeProvider, Provider
from gateway.errors import ConfigInvalid
from gateway.ids import AgentId
from gateway.settings import AgentSettings

GROUP = "parley.providers"


def provider_names() -> list[str]:
    return sorted(_installed())


def load_provider(name: str, *, path: str = "provider") -> MakeProvider:
    """Return what makes the named provider.

    Raises:
        ConfigInvalid: at `path`, nothing installed has this name or it cannot be loaded.
    """
    installed = _installed()
    entry = installed.get(name)
    if entry is None:
        raise ConfigInvalid(path, f"there is no provider {name!r}; there are {_listed(installed)}")
    try:
        return cast("MakeProvider", entry.load())
    except (ImportError, AttributeError) as error:
        raise ConfigInvalid(path, f"provider {name!r} cannot be loaded: {error}") from error


def make_provider(agent: AgentId, settings: AgentSettings) -> Provider:
    """Make an agent's provider. Raises `ConfigInvalid` with the whole path of the setting."""
    make = load_provider(settings.provider, path=f"agents.{agent}.provider")
    try:
        return make(settings)
    except ConfigInvalid as error:
        raise ConfigInvalid(f"agents.{agent}.{error.path}", error.problem) from error


def _installed() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def _listed(installed: dict[str, EntryPoint]) -> str:
    return ", ".join(sorted(installed))
