"""What people find when they open the app: its Home, and a few first words to say. Pure."""

from collections.abc import Sequence
from typing import Any

from adapters.slack.markdown import escape
from gateway.contracts.adapter import CommandInfo

PROMPTS = [
    {"title": "What can you do?", "message": "/help"},
    {"title": "Start afresh", "message": "/new"},
]
_COMMANDS_SHOWN = 30

Blocks = list[dict[str, Any]]


def home_view(name: str, command: str, commands: Sequence[CommandInfo]) -> dict[str, Any]:
    """Build the Home tab, which everybody sees: nothing in it is one person's."""
    blocks: Blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": name[:150] or "Parley"}},
        _section(
            "I am an assistant. Write to me under *Messages*, or name me in a channel that I am "
            f"in: `@{escape(name)} ...`. In a thread where I have answered, just go on."
        ),
        _section(":large_green_circle: I am connected."),
        {"type": "divider"},
        _section(
            f"*Commands.* Write them after `{command}`. In a thread Slack takes no commands; write "
            f"`@{escape(name)} /new` there, or in messages to me ` /new`, with a space before it."
        ),
        _section("\n".join(_line(one, command) for one in _open_to_all(commands))),
    ]
    return {"type": "home", "blocks": blocks}


def _open_to_all(commands: Sequence[CommandInfo]) -> list[CommandInfo]:
    return [one for one in commands if not one.is_for_owner][:_COMMANDS_SHOWN]


def _line(one: CommandInfo, command: str) -> str:
    return f"`{command} {one.name}`  {escape(one.summary)}"


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text or "…"}}
