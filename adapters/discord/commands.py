"""`parley discord`: how a bot comes into a server."""

import click


@click.group()
def command() -> None:
    """Set up a bot on Discord."""


@command.command("invite")
@click.argument("application_id")
def print_invite(application_id: str) -> None:
    """Print the link that adds the bot to a server.

    APPLICATION_ID is on the page General Information of the application, at
    discord.com/developers; `parley doctor` prints the same link from the bot's token.
    """
    if not application_id.isdecimal():
        raise click.BadParameter("an application's id is a number of some nineteen digits")
    from adapters.discord.account import invite_link  # noqa: PLC0415 - it loads the SDK

    click.echo(invite_link(application_id))
