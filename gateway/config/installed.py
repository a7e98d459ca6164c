"""What the installed packages offer, found by entry points and loaded only when used."""

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from gateway.errors import ConfigInvalid
from gateway.settings import AdapterSettings


class Installed:
    """Names adapters and providers without importing any SDK."""

    def platforms(self) -> tuple[str, ...]:
        return _names("parley.adapters")

    def providers(self) -> tuple[str, ...]:
        return _names("parley.providers")

    def settings_type(self, platform: str) -> type[AdapterSettings]:
        """Return the settings class of a platform in `platforms`.

        Raises:
            ConfigInvalid: the package that offers it cannot be imported.
        """
        light = tuple(entry_points(group="parley.settings", name=platform))
        if light:
            found: type[AdapterSettings] = _load(light[0])
        else:
            (adapter,) = entry_points(group="parley.adapters", name=platform)
            found = _load(adapter).settings_type
        return found

    def key_variables(self) -> dict[str, str]:
        """Return the variable that holds each provider's key, in order of the names."""
        keys = sorted(entry_points(group="parley.keys"), key=lambda entry: entry.name)
        return {entry.name: _load(entry) for entry in keys}


def _names(group: str) -> tuple[str, ...]:
    return tuple(sorted({entry.name for entry in entry_points(group=group)}))


def _load(entry: EntryPoint) -> Any:
    try:
        return entry.load()
    except (ImportError, AttributeError) as error:
        raise ConfigInvalid("", f"`{entry.name}` cannot be loaded: {error}") from error
