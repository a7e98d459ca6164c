"""`parley people`: who is who, who is linked with whom, and who did what."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from gateway.cli.answering import answer
from gateway.cli.exit_codes import ExitCode
from gateway.cli.options import with_config
from gateway.cli.tables import print_table
from gateway.cli.words import echo_json, many, when, with_json

_ACCOUNTS = ("account", "name", "role", "linked with", "since")
_TRAIL = ("number", "when", "what", "by", "about")


@click.group()
def command() -> None:
    """See and part people's accounts.

    With or without a running gateway.
    """


@command.command("list")
@with_config
@with_json
def list_people(config: Path | None, *, as_json: bool) -> None:
    """Show everybody who is known, with their accounts."""
    known = answer(config, "people.list")
    if as_json:
        echo_json(known)
    elif known:
        _print_accounts(known)
    else:
        click.echo("Nobody is known yet.")


@command.command()
@click.argument("who", metavar="PERSON|PLATFORM:ID")
@with_config
@with_json
def show(config: Path | None, who: str, *, as_json: bool) -> None:
    """Show one person, and what was done about them."""
    person = answer(config, "people.show", id=who)
    if as_json:
        echo_json(person)
        return
    click.echo(f"person {person['person']}")
    _print_accounts([person])
    if person["audit"]:
        _print_trail(person["audit"])


@command.command()
@click.argument("identity", metavar="PLATFORM:ID")
@click.argument("role", metavar="guest|member|admin")
@with_config
@with_json
def role(config: Path | None, identity: str, role: str, *, as_json: bool) -> None:
    """Make an account more or less than it was.

    Owners are named in the settings alone.
    """
    given = answer(config, "people.role", identity=identity, role=role.lower())
    if as_json:
        echo_json(given)
        return
    was = given["before"]
    change = f"is {role} as before" if was == role else f"was {was} and is {role} now"
    click.echo(f"{given['identity']} {change}.")
    if given["role"] != given["stored_role"]:
        click.echo(f"The settings (`access`) make it {given['role']} all the same.")
    elif role == "guest":
        click.echo("A guest is heard only where the settings let everybody in.")


@command.command()
@click.argument("identity", metavar="PLATFORM:ID")
@with_config
def unlink(config: Path | None, identity: str) -> None:
    """Make an account a person of its own again, with an empty history."""
    done = answer(config, "people.unlink", identity=identity)
    click.echo(f"{done['identity']} is unlinked; its next message begins with an empty history.")


@command.command()
@click.argument("identity", metavar="PLATFORM:ID")
@with_config
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget(config: Path | None, identity: str, *, yes: bool) -> None:
    """Erase all that is kept of a person, on all their accounts, now."""
    if not yes:
        question = f"Erase all that is kept of {identity}? Nobody can bring it back."
        click.confirm(question, abort=True)
    done = answer(config, "people.forget", identity=identity)
    accounts = ", ".join(done["accounts"])
    words = "is erased" if done["is_done"] else "will be erased once their last turn has ended"
    click.echo(f"All that was kept of {accounts} {words}.")


@command.command()
@click.argument("identity", metavar="PLATFORM:ID")
@with_config
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False, writable=True),
    default=Path(),
    help="Where to write it; the current directory if not given.",
)
def export(config: Path | None, identity: str, folder: Path) -> None:
    """Write a copy of all that is kept of a person.

    The same as `/export` sends to them.
    """
    from gateway.cli.exporting import write_copy  # noqa: PLC0415 - slow

    for path in write_copy(config, identity, folder):
        click.echo(f"wrote {path}")


@command.command()
@with_config
@with_json
@click.option("--check", is_flag=True, help="Look whether any row was changed or taken out.")
@click.option(
    "--since",
    metavar="NUMBER:SEAL",
    help="Look whether the trail still holds this row, which --check once printed as the last.",
)
@click.pass_context
def audit(
    ctx: click.Context, config: Path | None, *, as_json: bool, check: bool, since: str | None
) -> None:
    """Show who let in, linked and parted whom.

    With --check, exits with 1 when the trail was tampered with.
    """
    if not check and since is None:
        rows = answer(config, "people.audit")
        if as_json:
            echo_json(rows)
        elif rows:
            _print_trail(rows)
        else:
            click.echo("Nothing was noted yet.")
        return
    given = {} if since is None else {"since": since}
    found = answer(config, "people.check", **given)
    is_whole = found["first_broken"] is None and found["since"] in {None, "held"}
    if as_json:
        echo_json(found)
    else:
        click.echo(_told_of_trail(found, since))
    if not is_whole:
        ctx.exit(ExitCode.FAILED)


def _told_of_trail(found: Mapping[str, Any], since: str | None) -> str:
    lines = []
    last = found["last"]
    if found["first_broken"] is not None:
        lines.append(
            f"The trail was changed: row {found['first_broken']} is not as it was written."
        )
    match found["since"]:
        case "gone":
            end = "has no rows" if last is None else f"ends at row {last['number']}"
            lines.append(f"The trail was cut: it {end}, and {since} is not in it.")
        case "changed":
            lines.append(f"The trail was written anew: it has another row in the place of {since}.")
    if lines:
        return "\n".join(lines)
    lines.append("The trail is whole." if since is None else "The trail is whole, and holds it.")
    if last is not None:
        lines.append(f"Its last row is {last['number']}:{last['seal']}")
        lines.append("Note that elsewhere: `--since` with it finds a trail whose end was cut.")
    return "\n".join(lines)


def _print_accounts(persons: Sequence[Mapping[str, Any]]) -> None:
    rows = [row for person in persons for row in _account_rows(person)]
    print_table(_ACCOUNTS, rows, wraps=("name", "role", "since"))


def _account_rows(person: Mapping[str, Any]) -> list[tuple[str, ...]]:
    names = [account["identity"] for account in person["accounts"]]
    return [
        (
            account["identity"],
            account["name"],
            _role(account),
            many([name for name in names if name != account["identity"]]),
            when(account["since"]),
        )
        for account in person["accounts"]
    ]


def _role(account: Mapping[str, Any]) -> str:
    """Return what holds, and say so where it is not what was given by command."""
    is_of_settings = account["role"] != account["stored_role"]
    return f"{account['role']} (settings)" if is_of_settings else str(account["role"])


def _print_trail(rows: Sequence[Mapping[str, Any]]) -> None:
    print_table(_TRAIL, [_trail_row(row) for row in rows], wraps=("about",))


def _trail_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    about = ", ".join(f"{name} {value}" for name, value in row["facts"].items())
    return str(row["number"]), when(row["happened_at"]), row["action"], row["actor"], about
