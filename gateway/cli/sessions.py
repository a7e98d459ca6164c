"""`parley sessions`: the conversations there are, and putting one aside."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from gateway.cli.answering import answer
from gateway.cli.options import with_config
from gateway.cli.tables import print_table
from gateway.cli.words import ago, echo_json, many, when, with_json
from gateway.logs import escape_controls

_SESSIONS = ("session", "agent", "whose", "title")
_TITLE_AT_MOST = 24
_USAGE = ("model", "calls", "in", "cached", "out")
_PART = click.argument("session", metavar="SESSION")


@click.group()
def command() -> None:
    """See conversations without their words; put them aside.

    With or without a running gateway. SESSION is an id, its beginning, or the eight letters and
    digits at its end.
    """


@command.command("list")
@with_config
@with_json
@click.option("--agent", help="Only those of this agent.")
@click.option("--person", metavar="PERSON|PLATFORM:ID", help="Only those that are theirs alone.")
@click.option("--all", "with_archived", is_flag=True, help="Those that were put aside, too.")
def list_sessions(
    config: Path | None,
    agent: str | None,
    person: str | None,
    *,
    with_archived: bool,
    as_json: bool,
) -> None:
    """Show whose sessions there are, the last used first."""
    asked = {"agent": agent, "person": person, "all": "yes" if with_archived else None}
    given = {name: value for name, value in asked.items() if value is not None}
    found = answer(config, "sessions.list", **given)
    if as_json:
        echo_json(found)
    elif found:
        _print_list(found, with_state=with_archived)
    else:
        click.echo("There are no such sessions.")


@command.command()
@_PART
@with_config
@with_json
@click.option("--words", is_flag=True, help="What was said, too; the audit trail will say so.")
def show(config: Path | None, session: str, *, words: bool, as_json: bool) -> None:
    """Show one session, and what it has used."""
    given = {"words": "yes"} if words else {}
    found = answer(config, "sessions.show", session=session, **given)
    if as_json:
        echo_json(found)
        return
    for name, value in _facts(found):
        click.echo(f"{name:<12} {escape_controls(value)}")
    if found["usage"]:
        click.echo()
        print_table(_USAGE, [_usage_row(row) for row in found["usage"]], numbers=4)
    for entry in found.get("words", ()):
        click.echo(f"\n{when(entry['at'])}  {escape_controls(entry['by'])}")
        click.echo(escape_controls(entry["text"], keep="\n"))


@command.command()
@_PART
@with_config
def archive(config: Path | None, session: str) -> None:
    """Put a session aside: the next message there begins anew. Its history is kept."""
    done = answer(config, "sessions.archive", session=session)
    click.echo(f"{escape_controls(done['id'])} is archived; the next message there begins anew.")


def _print_list(sessions: Sequence[Mapping[str, Any]], *, with_state: bool) -> None:
    """Leave out the model where nobody has chosen one, and the state where it is the same."""
    with_model = any(session["model"] for session in sessions)
    headings = ["model"] * with_model + ["state"] * with_state
    print_table(
        (*_SESSIONS, *headings, "last active", "entries"),
        [
            (
                session["handle"],
                session["agent"],
                many(session["whose"]),
                _shortened(session["title"] or ""),
                *[session["model"] or ""] * with_model,
                *[session["state"]] * with_state,
                ago(session["last_active"]),
                f"{session['entries']:,}",
            )
            for session in sessions
        ],
        numbers=1,
        wraps=("title", "model"),
    )


def _shortened(title: str) -> str:
    return title if len(title) <= _TITLE_AT_MOST else f"{title[: _TITLE_AT_MOST - 1].rstrip()}…"


def _facts(session: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        ("session", session["id"]),
        ("agent", session["agent"]),
        ("whose", ", ".join(session["whose"])),
        ("person", session["person"] or "nobody's own"),
        ("title", session["title"] or "none yet"),
        ("model", session["model"] or "the agent's"),
        ("entries", str(session["entries"])),
        ("began", when(session["created_at"])),
        ("last active", when(session["last_active"])),
        ("state", session["state"]),
    ]


def _usage_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    counts = (row["calls"], row["input_tokens"], row["cached_tokens"], row["output_tokens"])
    return row["model"], *(f"{count:,}" for count in counts)
