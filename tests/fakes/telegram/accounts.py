"""The bot itself, its command menus, chats and members, and links to files."""

import json
import re
from typing import Any

from tests.fakes.telegram.calls import Call
from tests.fakes.telegram.refusal import bad_request
from tests.fakes.telegram.world import World

_COMMANDS_AT_MOST = 100
_LONGEST_DESCRIPTION = 256
_SCOPES = frozenset({
    "default",
    "all_private_chats",
    "all_group_chats",
    "all_chat_administrators",
    "chat",
    "chat_administrators",
    "chat_member",
})


def get_me(world: World, _: Call) -> Any:
    return {
        **world.bot,
        "can_join_groups": True,
        "can_read_all_group_messages": world.reads_all_groups,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
        "has_topics_enabled": world.has_topics_in_private,
        "allows_users_to_create_topics": world.has_topics_in_private,
    }


def log_out(world: World, _: Call) -> Any:
    world.is_logged_out = True
    return True


def close(_world: World, _: Call) -> Any:
    return True


def set_commands(world: World, call: Call) -> Any:
    commands = call.json("commands")
    if not isinstance(commands, list):
        raise bad_request("can't parse commands: expected an Array of BotCommand")
    if len(commands) > _COMMANDS_AT_MOST:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        if not re.fullmatch(r"[a-z0-9_]{1,32}", str(command.get("command"))):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(str(command.get("description") or "")) <= _LONGEST_DESCRIPTION:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    world.commands[_menu(call)] = commands
    return True


def delete_commands(world: World, call: Call) -> Any:
    world.commands.pop(_menu(call), None)
    return True


def get_commands(world: World, call: Call) -> Any:
    return world.commands.get(_menu(call), [])


def _menu(call: Call) -> tuple[str, str]:
    """Name a menu: its scope as JSON, and its language."""
    scope = call.json("scope") or {"type": "default"}
    if not isinstance(scope, dict) or scope.get("type") not in _SCOPES:
        raise bad_request("can't parse BotCommandScope: unsupported type specified")
    language = call.text("language_code")
    if language and not re.fullmatch(r"[a-z]{2}", language):
        raise bad_request("invalid language code specified")
    return json.dumps(scope, sort_keys=True), language


def get_chat(world: World, call: Call) -> Any:
    chat = world.chat_of(call)
    return {**world.chat_payload(chat), "accent_color_id": 0, "max_reaction_count": 11}


def get_chat_member(world: World, call: Call) -> Any:
    chat = world.chat_of(call)
    user_id = call.integer("user_id")
    if user_id == world.bot["id"]:
        return {"status": "member", "user": world.bot}
    if user_id not in world.users:
        raise bad_request("user not found")
    is_member = user_id in chat.members
    return {"status": "member" if is_member else "left", "user": world.users[user_id]}


def get_file(world: World, call: Call) -> Any:
    return world.files.link(call.text("file_id"), world.now())
