"""What no single setting can know: whether settings fit one another."""

from collections.abc import Iterator

from gateway.config.installed import Installed
from gateway.config.problems import suggest
from gateway.errors import ConfigInvalid
from gateway.settings import AdapterSettings, Budget, BudgetSettings, GatewaySettings


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
    yield from _doubts_about_money(settings)
    platforms = installed.platforms()
    for field in ("owners", "admins", "allowlist"):
        for identity in getattr(access, field):
            platform = identity.partition(":")[0]
            if platform not in platforms:
                yield f"access.{field}: {identity} is on no platform of this version"


def _doubts_about_money(settings: GatewaySettings) -> Iterator[str]:
    caps = {name: getattr(settings.budgets, name) for name in BudgetSettings.model_fields}
    budgets = {name: cap for name, cap in caps.items() if isinstance(cap, Budget)}
    for name, budget in budgets.items():
        for agent_name, agent in settings.agents.items():
            if budget.tokens is not None and budget.tokens <= agent.max_output_tokens:
                yield (
                    f"budgets.{name}.tokens: has no room for one answer of "
                    f"agents.{agent_name}.max_output_tokens"
                )
    if all(budget.money is None for budget in budgets.values()):
        return
    for name, agent in settings.agents.items():
        models = dict.fromkeys((
            agent.model,
            *agent.fallback_models,
            *agent.models,
            agent.fast_model or agent.model,
        ))
        for model in models:
            if model not in agent.prices and agent.provider != "demo":
                what = f"`{model}`" if model else "the provider's default model"
                yield (
                    f"agents.{name}.prices: {what} has no price, so no budget in money bounds it"
                )


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
