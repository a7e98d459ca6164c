"""`parley chat`."""

import sys
from importlib.metadata import version
from pathlib import Path
from typing import TextIO

import click

from gateway.cli.options import is_debug, load, with_config
from gateway.errors import ConfigInvalid, StoreFailed
from gateway.logs import configure_logs
from gateway.settings import GatewaySettings, LogSettings

_PLATFORM = "local"
_OFFLINE = "demo"


@click.command()
@with_config
@click.option("--agent", help="Who answers; the first agent unless you say otherwise.")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep this chat elsewhere, as while the gateway is running.",
)
def command(config: Path | None, agent: str | None, data_dir: Path | None) -> None:
    """Talk to an agent in this terminal.

    Needs no account and no key: without one, the offline demo answers. Takes lines from
    a pipe, too.
    """
    loaded = load(config)
    settings = _for_terminal(loaded.settings, agent, data_dir)
    with _open_log(settings.data_dir) as stream:
        level = "debug" if is_debug() else settings.log.level
        configure_logs(LogSettings(level=level, format=settings.log.format), loaded.secrets, stream)
        from gateway.cli.running import run_to_the_end  # noqa: PLC0415 - bad settings come first

        run_to_the_end(settings)


def _for_terminal(
    settings: GatewaySettings, agent: str | None, data_dir: Path | None
) -> GatewaySettings:
    """Leave only the terminal of all accounts."""
    answers = agent or next(iter(settings.agents))
    if answers not in settings.agents:
        known = ", ".join(settings.agents)
        raise ConfigInvalid("--agent", f"there is no agent `{answers}`; known here: {known}")
    own = [entry for entry in settings.adapters.values() if entry["platform"] == _PLATFORM]
    entry = {"greeting": _greeting(settings, answers), **(own[0] if own else {})}
    entry |= {"platform": _PLATFORM, "agent": answers}
    return settings.model_copy(
        update={
            "adapters": {_PLATFORM: entry},
            "data_dir": settings.data_dir if data_dir is None else data_dir.absolute(),
        }
    )


def _greeting(settings: GatewaySettings, answers: str) -> str:
    agent = settings.agents[answers]
    if agent.provider == _OFFLINE:
        model = "the offline demo: no key, no network"
    else:
        model = f"{agent.provider} {agent.model}".strip()
    return f"**Parley {version('parley-gateway')}** · {answers} · {model}"


def _open_log(data_dir: Path) -> TextIO:
    """Log to a file where a terminal would show the lines amid the chat."""
    if not sys.stderr.isatty():
        return open(sys.stderr.fileno(), "a", encoding="utf-8", closefd=False)
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = data_dir / "chat.log"
        path.touch(mode=0o600)
        return path.open("a", encoding="utf-8")
    except OSError as error:
        raise StoreFailed(
            f"{data_dir} cannot be written to ({error.strerror}); choose another with --data-dir"
        ) from error
