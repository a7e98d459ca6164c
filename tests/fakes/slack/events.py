"""Events as the app receives them: the wrapper, and the events about messages.

Facts: https://docs.slack.dev/apis/events-api and /reference/events/message
"""

from typing import Any

from tests.fakes.slack.conversation import Conversation, Message
from tests.fakes.slack.deliveries import Delivery
from tests.fakes.slack.payloads import message_payload
from tests.fakes.slack.world import World

_SUBSCRIPTIONS = {
    "im": "message.im",
    "mpim": "message.mpim",
    "channel": "message.channels",
    "group": "message.groups",
}


def tell(
    world: World, event: dict[str, Any], *, lane: str, kind: str = "", is_shared: bool = False
) -> Delivery | None:
    """Wrap an event and hand it over; `None` if the app has not subscribed to its kind."""
    if (kind or event["type"]) not in world.subscriptions:
        return None
    return world.deliveries.push("events_api", wrapped(world, event, is_shared=is_shared), lane)


def wrapped(world: World, event: dict[str, Any], *, is_shared: bool = False) -> dict[str, Any]:
    return {
        "token": "verification-token",
        "team_id": world.team["id"],
        "context_team_id": world.team["id"],
        "context_enterprise_id": None,
        "api_app_id": world.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": world.next_name("Ev"),
        "event_time": int(world.now()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": world.team["id"],
                "user_id": world.bot_user,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": is_shared,
        "event_context": world.next_name("4-"),
    }


def tell_message(world: World, place: Conversation, message: Message) -> Delivery | None:
    """Tell of a new message, and of the mention in it by an event of its own."""
    payload = message_payload(world, place, message)
    event = {
        **payload,
        "channel": place.id,
        "event_ts": message.ts,
        "channel_type": place.kind,
    }
    told = _about(world, place, event)
    is_mention = f"<@{world.bot_user}>" in message.text and place.kind != "im"
    if is_mention and not message.is_from_bot and place.has_bot:
        mention = {**payload, "type": "app_mention", "channel": place.id, "event_ts": message.ts}
        mention.pop("subtype", None)
        tell(world, mention, lane=place.id, is_shared=place.is_shared)
    return told


def tell_changed(
    world: World, place: Conversation, message: Message, before: dict[str, Any]
) -> Delivery | None:
    return _about(
        world,
        place,
        {
            "type": "message",
            "subtype": "message_changed",
            "message": message_payload(world, place, message),
            "previous_message": before,
            **_hidden(world, place),
        },
    )


def tell_deleted(
    world: World, place: Conversation, message: Message, before: dict[str, Any]
) -> Delivery | None:
    return _about(
        world,
        place,
        {
            "type": "message",
            "subtype": "message_deleted",
            "previous_message": before,
            "deleted_ts": message.ts,
            **_hidden(world, place),
        },
    )


def tell_raw(world: World, place: Conversation, event: dict[str, Any]) -> Delivery | None:
    """Tell of any event of a conversation, as it is."""
    return tell(world, event, lane=place.id, is_shared=place.is_shared)


def _hidden(world: World, place: Conversation) -> dict[str, Any]:
    ts = world.next_ts()
    return {
        "channel": place.id,
        "hidden": True,
        "ts": ts,
        "event_ts": ts,
        "channel_type": place.kind,
    }


def _about(world: World, place: Conversation, event: dict[str, Any]) -> Delivery | None:
    if not place.has_bot:
        return None
    kind = _SUBSCRIPTIONS[place.kind]
    return tell(world, event, lane=place.id, kind=kind, is_shared=place.is_shared)
