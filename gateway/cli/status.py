"""`parley status`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from gateway.cli.control import ask
from gateway.cli.options import load, with_config
from gateway.cli.tables import print_table

_MODELS = ("model", "provider", "agents", "state", "calls in a minute")


@click.command()
@with_config
@click.option("--json", "as_json", is_flag=True, help="Print what the gateway says as JSON.")
def command(config: Path | None, *, as_json: bool) -> None:
    """Show how the running gateway is; exit 1 when none runs."""
    status = ask(load(config).settings.data_dir, "status")
    if as_json:
        click.echo(json.dumps(status, indent=2))
        return
    up = duration(status["uptime_seconds"])
    click.echo(f"Up {up}; {status['waiting']} waiting; agents: {', '.join(status['agents'])}")
    rows = [_row(account) for account in status["adapters"]]
    if rows:
        print_table(("account", "state", "last sign of life", "reason"), rows)
    if models := status.get("models"):
        print_table(_MODELS, [_model_row(model) for model in models])


def duration(seconds: float) -> str:
    """Write a span in its two largest units."""
    whole = int(seconds)
    units = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
    parts: list[str] = []
    for size, name in units:
        count, whole = divmod(whole, size)
        if count or (name == "s" and not parts):
            parts.append(f"{count} {name}")
    return " ".join(parts[:2])


def _row(account: Mapping[str, Any]) -> tuple[str, str, str, str]:
    alive = account["seconds_since_alive"]
    sign = "none yet" if alive is None else f"{duration(alive)} ago"
    return account["account"], account["state"], sign, account["reason"]


def _model_row(model: Mapping[str, Any]) -> tuple[str, ...]:
    state = model["state"].replace("_", " ")
    if model["seconds_open"] is not None:
        state += f" for {duration(model['seconds_open'])}"
    calls = f"{model['calls']}, {model['failed']} failed" if model["failed"] else model["calls"]
    return model["model"], model["provider"], ", ".join(model["agents"]), state, str(calls)
