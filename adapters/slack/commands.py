"""`parley slack`: what an app is made from."""

import click

from adapters.slack.manifest import as_json, as_yaml, manifest
from adapters.slack.settings import check_command


def _checked(_: click.Context, __: click.Parameter, value: str) -> str:
    try:
        return check_command(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.group()
def command() -> None:
    """Set up an app on Slack."""


@command.command("manifest")
@click.option("--name", default="Parley", show_default=True, help="What people call the bot.")
@click.option(
    "--command",
    "slash_command",
    default="/parley",
    show_default=True,
    callback=_checked,
    help="The slash command, as the setting `command` names it.",
)
@click.option(
    "--request-url",
    metavar="URL",
    help="The public address of this gateway, for `mode: http`; without it, Socket Mode.",
)
@click.option("--json", "is_json", is_flag=True, help="Print JSON instead of YAML.")
def print_manifest(
    name: str, slash_command: str, request_url: str | None, *, is_json: bool
) -> None:
    """Print the manifest of an app, to paste at api.slack.com/apps.

    Create New App, From a manifest, choose the workspace, paste, create, install. The
    gateway then needs the bot's token (OAuth & Permissions) and an app-level token with the
    scope connections:write (Basic Information).
    """
    mode = "socket" if request_url is None else "http"
    described = manifest(name, mode=mode, command=slash_command, request_url=request_url)
    click.echo((as_json if is_json else as_yaml)(described).rstrip("\n"))
