"""`parley usage`: who has used how much, and what is left of the budgets for all."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from gateway.cli.answering import answer
from gateway.cli.options import with_config
from gateway.cli.tables import print_table
from gateway.cli.words import cost, echo_json, many, spent, when, with_json

_COUNTS = ("calls", "in", "cached", "out", "total")
_NOBODY = {"person": "nobody's", "place": "direct messages", "agent": "unknown", "model": "unknown"}
_SPANS = {"day": "today", "month": "this month"}


@click.command()
@with_config
@with_json
@click.option(
    "--by",
    type=click.Choice(["person", "place", "agent", "model"]),
    default="person",
    show_default=True,
    help="What to count by.",
)
@click.option(
    "--days", type=click.IntRange(min=1), default=30, show_default=True, help="How far back."
)
def command(config: Path | None, by: str, days: int, *, as_json: bool) -> None:
    """Show calls of models, their tokens and their cost.

    The greatest first.
    """
    found = answer(config, "usage", by=by, days=str(days))
    if as_json:
        echo_json(found)
        return
    if found["rows"]:
        _print(found)
    else:
        click.echo(f"Nothing was used in the last {days} days.")
    for budget in found["budgets"]:
        click.echo(_left(budget, found["currency"]))


def _print(found: Mapping[str, Any]) -> None:
    by, currency = found["by"], found["currency"]
    has_prices = found["total"]["cost"] > 0
    rows = [(_name(row, by), row) for row in found["rows"]] + [("total", found["total"])]
    print_table(
        (by, *_COUNTS, *["cost"] * has_prices),
        [
            (
                name,
                *(f"{count:,}" for count in _counts(row)),
                *[spent(row["cost"], currency)] * has_prices,
            )
            for name, row in rows
        ],
        numbers=len(_COUNTS) + has_prices,
        wraps=(by,),
    )


def _name(row: Mapping[str, Any], by: str) -> str:
    return many(row.get("accounts") or [row["name"] or _NOBODY[by]])


def _counts(row: Mapping[str, Any]) -> tuple[int, ...]:
    names = ("calls", "input_tokens", "cached_tokens", "output_tokens", "total_tokens")
    return tuple(row[name] for name in names)


def _left(budget: Mapping[str, Any], currency: str) -> str:
    parts = []
    if budget["tokens"] is not None:
        parts.append(f"{budget['tokens_left']:,} of {budget['tokens']:,} tokens")
    if budget["cost"] is not None:
        left, whole = cost(budget["cost_left"], currency), cost(budget["cost"], currency)
        parts.append(f"{left} of {whole}")
    until = when(budget["until"])
    return f"Left for all {_SPANS[budget['span']]}: {' and '.join(parts)}, until {until}"
