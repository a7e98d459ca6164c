"""Tables: drawn on a terminal, plain columns elsewhere."""

import sys
from collections.abc import Sequence

import click

from gateway.logs import escape_controls

_STYLES = {"ok": "green", "warn": "yellow", "fail": "red"}
"""Cells that say just this get their colour."""


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows; what others wrote cannot move the cursor or reorder the line."""
    safe = [[escape_controls(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _draw(headings, safe)
    else:
        _print_columns([headings, *safe])


def _print_columns(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def _draw(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich import box  # noqa: PLC0415 - slow to import, and not needed in a pipe
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(*headings, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    Console().print(table)
