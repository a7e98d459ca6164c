"""Tables: drawn on a terminal, plain columns elsewhere."""

import sys
from collections.abc import Collection, Sequence

import click

from gateway.logs import escape_controls

_STYLES = {"ok": "green", "warn": "yellow", "fail": "red"}
"""Cells that say just this get their colour."""


def print_table(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numbers: int = 0,
    wraps: Collection[str] = (),
) -> None:
    """Print rows; what others wrote cannot move the cursor or reorder the line.

    The last `numbers` columns stand to the right. Where a terminal is too narrow, the columns
    named in `wraps` give way before others do, whose ids are there to be copied.
    """
    safe = [[escape_controls(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _draw(headings, safe, numbers, wraps or headings)
    else:
        _print_columns([headings, *safe], numbers)


def _print_columns(rows: Sequence[Sequence[str]], numbers: int) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    first_number = len(widths) - numbers
    for row in rows:
        cells = (
            cell.ljust(width) if place < first_number else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        click.echo("  ".join(cells).rstrip())


def _draw(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    numbers: int,
    wraps: Collection[str],
) -> None:
    from rich import box  # noqa: PLC0415 - slow to import, and not needed in a pipe
    from rich.cells import cell_len  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for place, heading in enumerate(headings):
        longest = max(cell_len(line[place]) for line in [headings, *rows])
        table.add_column(
            heading,
            justify="left" if place < len(headings) - numbers else "right",
            overflow="fold",
            width=None if heading in wraps else longest,
        )
    for row in rows:
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    Console().print(table)
