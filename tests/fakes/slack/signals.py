"""Reactions, App Home and modals.

Facts: https://docs.slack.dev/reference/methods/reactions.add and /views.publish
"""

import re
from typing import Any

from tests.fakes.slack.blocks import IN_VIEW, checked_blocks
from tests.fakes.slack.calls import Call
from tests.fakes.slack.conversation import Conversation, Message
from tests.fakes.slack.refusal import Refusal, invalid
from tests.fakes.slack.world import World

_NAME = re.compile(r"[a-z0-9_+'-]+(::skin-tone-[2-6])?")


def add_reaction(world: World, call: Call) -> Any:
    place, message, users = _reacted(world, call)
    if world.bot_user in users:
        raise Refusal("already_reacted")
    message.reactions[call.text("name")] = [*users, world.bot_user]
    world.changed(place)
    return {}


def remove_reaction(world: World, call: Call) -> Any:
    place, message, users = _reacted(world, call)
    if world.bot_user not in users:
        raise Refusal("no_reaction")
    left = [one for one in users if one != world.bot_user]
    name = call.text("name")
    message.reactions = (
        {**message.reactions, name: left}
        if left
        else {one: who for one, who in message.reactions.items() if one != name}
    )
    world.changed(place)
    return {}


def _reacted(world: World, call: Call) -> tuple[Conversation, Message, list[str]]:
    place = world.place_of(call)
    name = call.needed("name")
    if _NAME.fullmatch(name) is None:
        raise Refusal("invalid_name")
    message = place.messages.get(call.needed("timestamp"))
    if message is None or message.is_deleted:
        raise Refusal("message_not_found")
    call.record.ts = message.ts
    return place, message, message.reactions.get(name, [])


def publish_home(world: World, call: Call) -> Any:
    user = call.needed("user_id")
    if user not in world.users:
        raise Refusal("user_not_found")
    view = _view(world, call, "home")
    world.homes[user] = view
    world.watch.changed()
    return {"view": {**view, "id": world.next_name("V"), "hash": world.next_ts()}}


def open_view(world: World, call: Call) -> Any:
    trigger = call.needed("trigger_id")
    began = world.triggers.pop(trigger, None)
    if began is None:
        raise Refusal("invalid_trigger_id")
    if world.now() - began > world.answer_seconds:
        raise Refusal("expired_trigger_id")
    view = _view(world, call, "modal")
    world.views.append(view)
    world.watch.changed()
    return {"view": {**view, "id": world.next_name("V"), "hash": world.next_ts()}}


def _view(world: World, call: Call, kind: str) -> dict[str, Any]:
    view = call.json("view")
    if not isinstance(view, dict) or view.get("type") != kind:
        raise invalid(f"view must be an object of type {kind}")
    if kind == "modal" and not isinstance(view.get("title"), dict):
        raise invalid("missing required field: title")
    world.look_at(call, checked_blocks(view.get("blocks"), at_most=IN_VIEW))
    return view
