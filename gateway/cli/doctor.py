"""`parley doctor`."""

import asyncio
import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import click

from gateway.cli.exit_codes import ExitCode
from gateway.cli.findings import Finding
from gateway.cli.options import is_debug, load, with_config
from gateway.cli.tables import print_table
from gateway.logs import configure_logs
from gateway.settings import LogSettings


@click.command()
@with_config
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def command(ctx: click.Context, config: Path | None, *, as_json: bool) -> None:
    """Try tokens, models, store and disk; say how to cure them.

    Exits with 1 when anything fails.
    """
    loaded = load(config)
    configure_logs(LogSettings(level="debug" if is_debug() else "error"), loaded.secrets)
    from gateway.cli.examination import examine  # noqa: PLC0415 - loads every part there is

    findings = asyncio.run(examine(loaded))
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        _print(findings)
    if any(finding.state == "fail" for finding in findings):
        ctx.exit(ExitCode.FAILED)


def _print(findings: list[Finding]) -> None:
    rows = [(finding.state, finding.subject, finding.words) for finding in findings]
    print_table(("", "what", "how it is"), rows)
    for finding in findings:
        if finding.cure:
            click.echo(f"{finding.subject}: {finding.cure}")
    count = Counter(finding.state for finding in findings)
    click.echo(f"{count['ok']} ok, {count['warn']} to look at, {count['fail']} failed")
