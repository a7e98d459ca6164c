"""What no single setting can know: whether settings fit one another."""

from collections.abc import Iterator, Mapping

from gateway.config.installed import Installed
from gateway.config.problems import suggest
from gateway.errors import ConfigInvalid
from gateway.settings import (
    AccessSettings,
    AdapterSettings,
    Budget,
    BudgetSettings,
    GatewaySettings,
    IdForm,
)


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


def doubts_about(
    settings: GatewaySettings, accounts: Mapping[str, AdapterSettings], installed: Installed
) -> Iterator[str]:
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
    kinds = {account.platform: account for account in accounts.values()}
    for path, identity, is_place in _ids_named(access):
        platform, _, own = identity.partition(":")
        kind = kinds.get(platform)
        form = kind and (kind.place_ids if is_place else kind.user_ids)
        if platform not in platforms:
            yield f"{path}: {identity} is on no platform of this version"
        elif form and not form.fits(own):
            yield f"{path}: {doubt_about_id(platform, own, form)}"


def doubt_about_id(platform: str, own: str, form: IdForm) -> str:
    return (
        f"{platform}:{own} does not look like an id of {platform}, "
        f"such as {platform}:{form.example}"
    )


def _ids_named(access: AccessSettings) -> Iterator[tuple[str, str, bool]]:
    """Return each id with the setting that names it, and whether it is a place's."""
    for field in ("owners", "admins", "allowlist"):
        for identity in getattr(access, field):
            yield f"access.{field}", identity, False
    if isinstance(access.groups, str):
        return
    for place in access.groups:
        yield "access.groups", place, True
    if isinstance(access.groups, dict):
        for place, its in access.groups.items():
            for identity in its.roles:
                yield f"access.groups.{place}.roles", identity, False


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
