"""From a file and the environment to checked settings: the order in which it is done."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError

from gateway.config.accounts import Accounts
from gateway.config.cross_checks import doubts_about, problems_between
from gateway.config.defaults import fill_agents, fill_data_dir
from gateway.config.document import read_document
from gateway.config.environment import Borrowed, Expansion, SettingPath, dotted
from gateway.config.installed import Installed
from gateway.config.problems import all_in_one, problems_of
from gateway.errors import ConfigInvalid
from gateway.settings import GatewaySettings

_SQLITE = "sqlite:///"
_SECRET_NAMES = ("KEY", "PASS", "SECRET", "TOKEN")


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """Settings that are good, and what a person should know of them."""

    settings: GatewaySettings
    warnings: tuple[str, ...]
    secrets: frozenset[str]
    """Every secret value, for the logs to keep out."""


def load_settings(
    path: Path | None, environ: Mapping[str, str], installed: Installed | None = None
) -> LoadedSettings:
    """Read the file, if any; what it leaves out, well-known variables fill.

    Raises:
        ConfigInvalid: lists every problem, a line each.
    """
    installed = installed or Installed()
    expansion = Expansion(environ)
    draft = expansion.expand({} if path is None else _written(read_document(path)))
    accounts = Accounts(installed, environ)
    fill_data_dir(draft, environ)
    warnings = fill_agents(draft, environ, installed)
    if "adapters" not in draft:
        draft["adapters"] = accounts.from_environment()
    accounts.check(draft["adapters"])
    settings = _checked(draft, accounts, installed, expansion.problems)
    secrets = dict(_secrets_in(settings))
    warnings += [*accounts.warnings, *doubts_about(settings, accounts.checked, installed)]
    warnings += _warn_of_clear_text(path, draft, secrets)
    return LoadedSettings(
        settings=_with_absolute_paths(settings, Path() if path is None else path.parent),
        warnings=tuple(warnings),
        secrets=frozenset({*secrets.values(), *_secret_variables(expansion.used)}),
    )


def _written(document: dict[str, Any]) -> dict[str, Any]:
    """Read a section without anything in it as left out, and an empty entry as an entry."""
    filled = {name: value for name, value in document.items() if value is not None}
    for section in ("agents", "adapters"):
        if isinstance(entries := filled.get(section), dict):
            filled[section] = {
                name: {} if entry is None else entry for name, entry in entries.items()
            }
    return filled


def _checked(
    draft: dict[str, Any],
    accounts: Accounts,
    installed: Installed,
    problems: list[ConfigInvalid],
) -> GatewaySettings:
    problems = [*problems, *accounts.problems]
    try:
        settings = GatewaySettings.model_validate(draft)
    except ValidationError as error:
        raise all_in_one([*problems, *problems_of(error, GatewaySettings, draft)]) from error
    problems += problems_between(settings, accounts.checked, installed)
    if problems:
        raise all_in_one(problems)
    # Dumped rather than as they came: so their secrets stay wrapped in `SecretStr`.
    entries = {
        name: account.model_dump(exclude_unset=True) for name, account in accounts.checked.items()
    }
    return settings.model_copy(update={"adapters": entries})


def _with_absolute_paths(settings: GatewaySettings, beside: Path) -> GatewaySettings:
    changes: dict[str, Any] = {"data_dir": _absolute(settings.data_dir, beside)}
    url = settings.store.url
    if url is not None and url.startswith(_SQLITE):
        file = _absolute(Path(url.removeprefix(_SQLITE)), beside)
        changes["store"] = settings.store.model_copy(update={"url": f"{_SQLITE}{file}"})
    return settings.model_copy(update=changes)


def _absolute(path: Path, beside: Path) -> Path:
    return (beside / path.expanduser()).absolute()


def _secrets_in(value: object, path: SettingPath = ()) -> Iterator[tuple[SettingPath, str]]:
    if isinstance(value, SecretStr):
        yield path, value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets_in(getattr(value, name), (*path, name))
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _secrets_in(inner, (*path, name))
    elif isinstance(value, (list, tuple)):
        for place, inner in enumerate(value):
            yield from _secrets_in(inner, (*path, place))


def _secret_variables(used: Mapping[str, str]) -> Iterator[str]:
    """Return what was read from variables whose names say that it is secret."""
    for name, value in used.items():
        if any(word in name.upper() for word in _SECRET_NAMES):
            yield value


def _warn_of_clear_text(
    path: Path | None, draft: dict[str, Any], secrets: Mapping[SettingPath, str]
) -> Iterator[str]:
    in_clear = [name for name in secrets if not isinstance(_at(draft, name), Borrowed)]
    for name in in_clear:
        yield f"{dotted(name)}: is in clear text; keep it in a variable and write ${{NAME}} here"
    if path is not None and in_clear and path.stat().st_mode & 0o077:
        yield f"{path}: holds secrets and can be read by other users; run `chmod 600 {path}`"


def _at(draft: Any, path: SettingPath) -> object:
    for step in path:
        draft = draft[step]
    return draft
