"""Slash commands, as the application registers them.

Facts: https://discord.com/developers/docs/interactions/application-commands
"""

import re
from typing import Any

from tests.fakes.discord.calls import Call
from tests.fakes.discord.refusal import Form, refused
from tests.fakes.discord.world import World

_NAME = re.compile(r"[-_'\w]{1,32}")
# fmt: off
_KNOWN = frozenset({
    "id", "name", "name_localizations", "description", "description_localizations", "options",
    "default_member_permissions", "dm_permission", "default_permission", "integration_types",
    "contexts", "type", "nsfw", "handler", "version", "application_id", "guild_id",
})
# fmt: on
_CHAT, _LONGEST_DESCRIPTION, _OPTIONS, _CHOICES, _COMMANDS = 1, 100, 25, 25, 100


def get(world: World, call: Call) -> Any:
    return world.commands.get(_where(world, call), [])


def put(world: World, call: Call) -> Any:
    """Replace all commands of one place."""
    where = _where(world, call)
    if not isinstance(call.body, list):
        raise refused(50109)
    form = Form()
    if sum(one.get("type", _CHAT) == _CHAT for one in call.body) > _COMMANDS:
        words = f"Maximum number of application commands reached ({_COMMANDS})."
        form.wrong("commands", "APPLICATION_COMMAND_TOO_MANY", words)
    for number, one in enumerate(call.body):
        _check(form, str(number), one)
        unknown = one.keys() - _KNOWN
        world.unknown_fields.update(("set_commands", name) for name in unknown)
    names = [(one.get("type", _CHAT), one.get("name")) for one in call.body]
    for number, name in enumerate(names):
        if name in names[:number]:
            words = "Application command names must be unique"
            form.wrong(str(number), "APPLICATION_COMMANDS_DUPLICATE_NAME", words)
    form.check()
    world.commands[where] = [_kept(world, where, one) for one in call.body]
    world.watch.changed()
    return world.commands[where]


def _where(world: World, call: Call) -> int | None:
    if call.id("application") != world.application_id:
        raise refused(50001)
    guild = call.path.get("guild")
    if guild is None:
        return None
    if int(guild) not in world.guilds:
        raise refused(50001)
    return int(guild)


def _check(form: Form, path: str, command: dict[str, Any]) -> None:
    _check_name(form, path, command)
    if command.get("type", _CHAT) != _CHAT:
        return
    form.length(f"{path}.description", command.get("description"), _LONGEST_DESCRIPTION, 1)
    options = command.get("options") or []
    if len(options) > _OPTIONS:
        words = f"Must be {_OPTIONS} or fewer in length."
        form.wrong(f"{path}.options", "BASE_TYPE_MAX_LENGTH", words)
    seen_optional = False
    for number, option in enumerate(options):
        at = f"{path}.options.{number}"
        _check_name(form, at, option)
        form.length(f"{at}.description", option.get("description"), _LONGEST_DESCRIPTION, 1)
        if len(option.get("choices") or []) > _CHOICES:
            words = f"Must be {_CHOICES} or fewer in length."
            form.wrong(f"{at}.choices", "BASE_TYPE_MAX_LENGTH", words)
        if option.get("required") and seen_optional:
            words = "Required options must be placed before non-required options"
            form.wrong(at, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", words)
        seen_optional |= not option.get("required")


def _check_name(form: Form, path: str, named: dict[str, Any]) -> None:
    name = named.get("name")
    is_chat = named.get("type", _CHAT) == _CHAT or "." in path
    if not isinstance(name, str) or not _NAME.fullmatch(name) or (is_chat and name != name.lower()):
        words = "Command name is invalid"
        form.wrong(f"{path}.name", "APPLICATION_COMMAND_INVALID_NAME", words)


def _kept(world: World, where: int | None, command: dict[str, Any]) -> dict[str, Any]:
    """Write a command as Discord gives it back; one that was there keeps its id."""
    before = next(
        (one for one in world.commands.get(where, []) if one["name"] == command["name"]), None
    )
    direct = {"dm_permission": command.get("dm_permission", True)} if where is None else {}
    return {
        "default_member_permissions": None,
        "contexts": None,
        "integration_types": [0],
        "nsfw": False,
        "description": "",
        "type": _CHAT,
        **direct,
        **command,
        "id": before["id"] if before else str(world.next_id()),
        "application_id": str(world.application_id),
        "version": str(world.next_id()),
        **({} if where is None else {"guild_id": str(where)}),
    }
