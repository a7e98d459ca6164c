"""What no single setting can know: whether settings fit one another."""

from collections.abc import Iterator

from gateway.config.installed import Installed
from gateway.config.problems import suggest
from gateway.errors import ConfigInvalid
from gateway.settings import AdapterSettings, GatewaySettings


def problems_between(
    settings: GatewaySettings, accounts: dict[str, AdapterSettings], installed: Installed
) -> Iterator[ConfigInvalid]:
    """Find names that nothing stands behind."""
    providers = installed.providers()
    for name, agent in settings.agents.items():
        if agent.provider not in providers:
            words = f"there is no provider `{agent.provider}`; {suggest(agent.provider, providers)}"
            yield ConfigInvalid(f"agents.{name}.provider", words)
    for path, agent_name in _agents_named(settings, accounts):
        if agent_name not in settings.agents:
            hint = suggest(agent_name, list(settings.agents))
            yield ConfigInvalid(path, f"there is no agent `{agent_name}`; {hint}")


def doubts_about(settings: GatewaySettings, installed: Installed) -> Iterator[str]:
    """Find what is allowed but hardly meant."""
    access = settings.access
    if access.direct_messages == "open":
        yield "access.direct_messages: `open` lets anybody talk to the bot, at your cost"
    if access.direct_messages == "allowlist" and not (
        access.allowlist or access.owners or access.admins
    ):
        yield "access.allowlist: is empty, and so are the owners: nobody can talk to the bot"
    platforms = installed.platforms()
    for field in ("owners", "admins", "allowlist"):
        for identity in getattr(access, field):
            platform = identity.partition(":")[0]
            if platform not in platforms:
                yield f"access.{field}: {identity} is on no platform of this version"


def _agents_named(
    settings: GatewaySettings, accounts: dict[str, AdapterSettings]
) -> Iterator[tuple[str, str]]:
    for name, account in accounts.items():
        if account.agent is not None:
            yield f"adapters.{name}.agent", account.agent
    groups = settings.access.groups
    if isinstance(groups, dict):
        for identity, place in groups.items():
            if place.agent is not None:
                yield f"access.groups.{identity}.agent", place.agent
