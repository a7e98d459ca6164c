"""The app's manifest: what Slack is asked for, and not a scope more. Pure."""

import json
from typing import Any

import yaml

SCOPES = frozenset({
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "mpim:history",
    "mpim:read",
    "reactions:write",
    "users:read",
})
EVENTS = (
    "agent_session_stopped",
    "app_home_opened",
    "app_mention",
    "file_shared",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
)
_NAME_LIMIT = 35
_DESCRIPTION = "Answers where you write to it: here, in channels and in threads."


def manifest(
    name: str, *, mode: str, command: str, request_url: str | None = None
) -> dict[str, Any]:
    """Describe an app for Slack to make; `request_url` is for `mode: http`, which needs it."""
    if mode == "http" and not request_url:
        raise ValueError("mode http needs the public address of its path, such as https://…")
    called = {"request_url": request_url} if mode == "http" else {}
    return {
        "display_information": {"name": name[:_NAME_LIMIT], "description": _DESCRIPTION},
        "features": {
            "agent_view": {"agent_description": _DESCRIPTION},
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": name[:_NAME_LIMIT], "always_online": True},
            "slash_commands": [
                {
                    "command": command,
                    "description": "Ask, or give a command",
                    "usage_hint": "new | stop | help | a question",
                    "should_escape": False,
                    **({"url": request_url} if called else {}),
                }
            ],
        },
        "oauth_config": {"scopes": {"bot": sorted(SCOPES)}},
        "settings": {
            "event_subscriptions": {"bot_events": list(EVENTS), **called},
            "interactivity": {"is_enabled": True, **called},
            "org_deploy_enabled": False,
            "socket_mode_enabled": mode == "socket",
            "token_rotation_enabled": False,
        },
    }


def as_json(described: dict[str, Any]) -> str:
    return json.dumps(described, indent=2, ensure_ascii=False)


def as_yaml(described: dict[str, Any]) -> str:
    return yaml.safe_dump(described, sort_keys=False, allow_unicode=True)
