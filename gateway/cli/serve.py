"""`parley serve`."""

from pathlib import Path

import click
import structlog

from gateway.cli.options import is_debug, load, with_config
from gateway.errors import ConfigInvalid
from gateway.logs import configure_logs

log = structlog.get_logger()


@click.command()
@with_config
def command(config: Path | None) -> None:
    """Run the gateway until it is told to stop.

    SIGTERM or Ctrl-C lets running answers end first; a second one ends at once.

    \b
    Exit codes:
      0  stopped as asked
      1  failed while running
      2  the settings are wrong
      3  the store cannot be used
      4  every account was rejected
      130, 143  ended at once by a second signal
    """  # noqa: D301 - to click a backspace means: leave these lines as they are
    loaded = load(config)
    settings = loaded.settings
    if is_debug():
        settings = settings.model_copy(
            update={"log": settings.log.model_copy(update={"level": "debug"})}
        )
    configure_logs(settings.log, loaded.secrets)
    for warning in loaded.warnings:
        log.warning("settings.doubted", reason=warning)
    if not settings.adapters:
        raise ConfigInvalid(
            "adapters",
            "there is no account to serve; add one, or set a platform's token in the "
            "environment. `parley chat` needs none.",
        )
    from gateway.cli.running import run_to_the_end  # noqa: PLC0415 - bad settings are told sooner

    run_to_the_end(settings)
