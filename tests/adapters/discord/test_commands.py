"""What a person setting up a bot prints."""

from urllib.parse import parse_qs, urlsplit

import discord
from click.testing import CliRunner, Result

from gateway.cli.main import main


def invite(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["discord", "invite", *arguments])


def test_the_link_asks_for_what_the_bot_needs_and_no_more() -> None:
    told = invite("123456789012345678")
    assert told.exit_code == 0
    link = urlsplit(told.stdout.strip())
    asked = parse_qs(link.query)
    assert (link.scheme, link.hostname, link.path) == ("https", "discord.com", "/oauth2/authorize")
    assert asked["client_id"] == ["123456789012345678"]
    assert asked["scope"] == ["bot applications.commands"]
    wanted = discord.Permissions(int(asked["permissions"][0]))
    assert sorted(name for name, is_asked in wanted if is_asked) == [
        "add_reactions",
        "attach_files",
        "create_public_threads",
        "embed_links",
        "read_message_history",
        "read_messages",
        "send_messages",
        "send_messages_in_threads",
    ]


def test_what_is_no_id_is_refused() -> None:
    told = invite("my-bot")
    assert told.exit_code != 0
    assert "is a number" in told.output


def test_the_command_line_lists_the_platforms_own_commands() -> None:
    assert "  discord " in CliRunner().invoke(main, ["--help"]).stdout
