"""`parley check`."""

from collections.abc import Iterator
from pathlib import Path

import click

from gateway.cli.options import load, with_config
from gateway.cli.tables import print_table
from gateway.ids import AgentId
from gateway.settings import GatewaySettings


@click.command()
@with_config
def command(config: Path | None) -> None:
    """Check the settings and show what would run; connects to nothing."""
    loaded = load(config)
    _check_providers(loaded.settings)
    _check_tools(loaded.settings)
    _check_store(loaded.settings)
    print_table(("what", "name", "how"), list(_described(loaded.settings)))
    for warning in loaded.warnings:
        click.echo(f"warning: {warning}", err=True)
    if not loaded.settings.adapters:
        click.echo("warning: adapters: there is none, so only `parley chat` can run", err=True)
    click.echo("The settings are good.")


def _check_providers(settings: GatewaySettings) -> None:
    """Refuse a model that cannot even be asked: making a provider loads no SDK."""
    from gateway.providers.registry import make_provider  # noqa: PLC0415 - as the other checks

    for name, agent in settings.agents.items():
        make_provider(AgentId(name), agent)


def _check_tools(settings: GatewaySettings) -> None:
    """Refuse names of tools that nothing stands behind, as the gateway would at its start."""
    from gateway.tools.registry import (  # noqa: PLC0415 - loads every tool there is
        ToolRegistry,
        check_tools,
    )

    agents = {AgentId(name): agent for name, agent in settings.agents.items()}
    check_tools(settings, agents, ToolRegistry.load())


def _check_store(settings: GatewaySettings) -> None:
    """Refuse an address of the store that names no file."""
    from gateway.store.location import database_path  # noqa: PLC0415 - as the other checks

    if settings.store.url is not None:
        database_path(settings.store.url)


def _described(settings: GatewaySettings) -> Iterator[tuple[str, str, str]]:
    for name, agent in settings.agents.items():
        yield "agent", name, f"{agent.provider} {agent.model or '(its default model)'}"
    for name, entry in settings.adapters.items():
        answers = entry.get("agent") or next(iter(settings.agents))
        yield "account", name, f"{entry['platform']}, answered by {answers}"
    access = settings.access
    yield "access", "direct messages", access.direct_messages
    groups = access.groups if isinstance(access.groups, str) else f"{len(access.groups)} allowed"
    yield "access", "groups", groups
    yield "access", "owners", ", ".join(access.owners) or "none"
    yield "data", "directory", str(settings.data_dir)
    yield "data", "store", settings.store.url or "parley.db in the directory"
