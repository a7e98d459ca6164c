"""The entries under `adapters:`, each checked by its own adapter's settings class."""

from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr, ValidationError

from gateway.config.environment import Borrowed
from gateway.config.installed import Installed
from gateway.config.problems import problems_of, suggest
from gateway.errors import ConfigInvalid
from gateway.settings import AdapterSettings


class Accounts:
    """Checks entries one by one; what it finds wrong is in `problems`."""

    def __init__(self, installed: Installed, environ: Mapping[str, str]) -> None:
        self._installed = installed
        self._environ = environ
        self.problems: list[ConfigInvalid] = []
        self.warnings: list[str] = []
        self.checked: dict[str, AdapterSettings] = {}

    def from_environment(self) -> dict[str, Any]:
        """Return an entry for each platform whose well-known variable is set."""
        entries: dict[str, Any] = {}
        claimed: set[str] = set()
        for platform in self._installed.platforms():
            try:
                variables = self._installed.settings_type(platform).environment.values()
            except ConfigInvalid as error:
                self.warnings.append(f"adapter {error}")
                continue
            claimed |= set(variables)
            if any(self._environ.get(variable) for variable in list(variables)[:1]):
                entries[platform] = {}
        self.warnings += [
            f"{variable} is set, but this version has no adapter that uses it"
            for variable in sorted(self._environ)
            if variable.endswith("_BOT_TOKEN") and variable not in claimed
        ]
        return entries

    def check(self, entries: object) -> None:
        """Check all entries and note the results; what is no entry at all is not ours to see."""
        if isinstance(entries, dict):
            for name, entry in entries.items():
                if isinstance(entry, dict):
                    self._check(str(name), entry)
            self._check_apart()

    def _check(self, name: str, entry: dict[str, Any]) -> None:
        platform = entry.get("platform") or name
        if platform not in self._installed.platforms():
            path = f"adapters.{name}.platform" if entry.get("platform") else f"adapters.{name}"
            hint = suggest(str(platform), self._installed.platforms())
            words = f"there is no adapter for `{platform}` in this version; {hint}"
            self.problems.append(ConfigInvalid(path, words))
            return
        try:
            settings_type = self._installed.settings_type(platform)
        except ConfigInvalid as error:
            self.problems.append(ConfigInvalid(f"adapters.{name}", error.problem))
            return
        entry["platform"] = platform
        self._validate(name, entry, settings_type)

    def _validate(
        self, name: str, entry: dict[str, Any], settings_type: type[AdapterSettings]
    ) -> None:
        for field, variable in settings_type.environment.items():
            if entry.get(field) is None and self._environ.get(variable):
                entry[field] = Borrowed(self._environ[variable])
        try:
            self.checked[name] = settings_type.model_validate(entry)
        except ValidationError as error:
            self.problems += [
                _with_variable(problem, settings_type)
                for problem in problems_of(error, settings_type, entry, ("adapters", name))
            ]

    def _check_apart(self) -> None:
        """Refuse two accounts with one token: each would take the other's messages."""
        owners: dict[tuple[str | None, str], str] = {}
        for name, settings in self.checked.items():
            field = next(iter(settings.environment), "")
            token = getattr(settings, field, None)
            if not isinstance(token, SecretStr):
                continue
            owner = owners.setdefault((settings.platform, token.get_secret_value()), name)
            if owner != name:
                words = f"is the same as that of adapters.{owner}; every account needs its own"
                self.problems.append(ConfigInvalid(f"adapters.{name}.{field}", words))


def _with_variable(problem: ConfigInvalid, settings_type: type[AdapterSettings]) -> ConfigInvalid:
    variable = settings_type.environment.get(problem.path.rpartition(".")[2])
    if variable is None or problem.problem != "must be set":
        return problem
    return ConfigInvalid(problem.path, f"must be set, here or as {variable} in the environment")
