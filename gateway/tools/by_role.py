"""Which of an agent's tools each role may use. Pure."""

from collections.abc import Mapping

from gateway.contracts.roles import Role
from gateway.contracts.tool import Effect, Tool
from gateway.settings import RoleTools


def tools_by_role(tools: Mapping[str, Tool], chosen: RoleTools) -> Mapping[Role, frozenset[str]]:
    """Give each role what the settings choose for it, or else what the tools themselves say."""
    named = {Role.GUEST: chosen.guest, Role.MEMBER: chosen.member, Role.ADMIN: chosen.admin}
    allowed = {}
    for role in Role:
        names = named.get(role)
        usual = (name for name, tool in tools.items() if role >= least_role(tool))
        allowed[role] = tools.keys() & set(usual if names is None else names)
    return {role: frozenset(names) for role, names in allowed.items()} | {
        Role.OWNER: frozenset(tools)
    }


def least_role(tool: Tool) -> Role:
    """Return who may use a tool when no setting says so."""
    if tool.least_role is not None:
        return tool.least_role
    return Role.GUEST if tool.effect is Effect.READ else Role.MEMBER
