"""What a file leaves out and the environment's well-known variables fill."""

from collections.abc import Mapping
from typing import Any

from gateway.config.environment import Borrowed
from gateway.config.installed import Installed

DATA_DIR = "PARLEY_DATA_DIR"
_OFFLINE = "demo"


def fill_data_dir(draft: dict[str, Any], environ: Mapping[str, str]) -> None:
    if "data_dir" not in draft and environ.get(DATA_DIR):
        draft["data_dir"] = environ[DATA_DIR]


def fill_agents(
    draft: dict[str, Any], environ: Mapping[str, str], installed: Installed
) -> list[str]:
    """Give every agent its key, or make one agent; return warnings."""
    keys = {
        provider: Borrowed(environ[variable])
        for provider, variable in installed.key_variables().items()
        if environ.get(variable)
    }
    if not draft.get("agents"):
        draft["agents"] = {"main": {"provider": next(iter(keys), _OFFLINE)}}
    if not isinstance(draft["agents"], dict):
        return []
    warnings = []
    for name, agent in draft["agents"].items():
        if not isinstance(agent, dict) or agent.get("api_key") is not None:
            continue
        key = keys.get(str(agent.get("provider")))
        if key is None:
            continue
        agent["api_key"] = key
        if agent.get("base_url"):
            variable = installed.key_variables()[agent["provider"]]
            warnings.append(f"agents.{name}.api_key: {variable} is sent to its `base_url`")
    return warnings
