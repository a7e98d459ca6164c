"""Somebody with an account: all that is no talking.

`ann.opens_home()`, `ann.reacts(message, "eyes")`, `ann.presses("Approve")`,
`ann.presses_stop(thread)`, `ann.commands("/parley", "status")`
"""

from collections.abc import Mapping
from typing import Any

from tests.fakes.slack.blocks import Block, buttons_of
from tests.fakes.slack.conversation import Conversation, Message
from tests.fakes.slack.deliveries import Delivery
from tests.fakes.slack.events import tell, tell_raw
from tests.fakes.slack.payloads import message_payload
from tests.fakes.slack.posting import answer
from tests.fakes.slack.world import Response, World


class Person:
    """Everything done is told to the app, if the app wants to hear of it."""

    def __init__(
        self, world: World, user: str, name: str, *, team: str = "", **fields: Any
    ) -> None:
        self.world = world
        self.id = user
        self.name = name
        self.team = team or world.team["id"]
        self.payload: dict[str, Any] = {
            "id": user,
            "team_id": self.team,
            "name": name.lower(),
            "real_name": name,
            "deleted": False,
            "is_bot": False,
            "is_app_user": False,
            "is_stranger": self.team != world.team["id"],
            "tz": "Europe/Vienna",
            "profile": {"real_name": name, "display_name": name, "team": self.team},
            **fields,
        }
        world.users[user] = self.payload

    @property
    def dm(self) -> Conversation:
        """The direct messages with the app."""
        return self.world.dm(self.id)

    @property
    def home(self) -> dict[str, Any] | None:
        """What the app shows this person in its Home tab."""
        return self.world.homes.get(self.id)

    def whispers(self, place: Conversation | None = None) -> list[str]:
        """Return the texts that only this person was shown."""
        return [one.shown for one in (place or self.dm).ephemeral if one.user == self.id]

    def reacts(self, message: Message, name: str, *, place: Conversation | None = None) -> None:
        self._reaction("reaction_added", message, name, place or self.dm)
        message.reactions.setdefault(name, []).append(self.id)
        self.world.changed(place or self.dm)

    def unreacts(self, message: Message, name: str, *, place: Conversation | None = None) -> None:
        message.reactions[name].remove(self.id)
        self._reaction("reaction_removed", message, name, place or self.dm)
        self.world.changed(place or self.dm)

    def _reaction(self, kind: str, message: Message, name: str, place: Conversation) -> None:
        event = {
            "type": kind,
            "user": self.id,
            "reaction": name,
            "item_user": message.user,
            "item": {"type": "message", "channel": place.id, "ts": message.ts},
            "event_ts": self.world.next_ts(),
        }
        tell_raw(self.world, place, event)

    def presses(
        self, label: str, *, on: Message | None = None, place: Conversation | None = None
    ) -> Delivery:
        """Press a button, on the newest message that has it unless `on` names one."""
        where = place or self.dm
        for message in [on] if on is not None else reversed(where.shown()):
            for button, block in buttons_of(message.blocks):
                if button["text"]["text"] == label:
                    return self.presses_button(where, message, button, block)
        raise AssertionError(f"no button {label!r} is shown")

    def presses_button(
        self, place: Conversation, message: Message, button: Block, block: Block
    ) -> Delivery:
        """Press this button, though it may be there no longer."""
        action: dict[str, Any] = {
            "action_id": button.get("action_id", "generated"),
            "block_id": block.get("block_id", "generated"),
            "text": button["text"],
            "type": "button",
            "action_ts": self.world.next_ts(),
            **{name: button[name] for name in ("value", "style") if name in button},
        }
        thread = message.thread_ts
        threaded: dict[str, str] = {} if thread is None else {"thread_ts": thread}
        payload: dict[str, Any] = {
            **self._interaction("block_actions"),
            "container": {
                "type": "message",
                "message_ts": message.ts,
                "channel_id": place.id,
                "is_ephemeral": False,
                **threaded,
            },
            "channel": {"id": place.id, "name": place.name or "directmessage"},
            "message": message_payload(self.world, place, message),
            "state": {"values": {}},
            "response_url": self._response_url(place, message.ts, thread),
            "actions": [action],
        }
        return self.world.deliveries.push("interactive", payload, place.id)

    def presses_in_home(self, label: str) -> Delivery:
        """Press a button in the app's Home tab."""
        home = self.home or {"blocks": []}
        for button, block in buttons_of(home["blocks"]):
            if button["text"]["text"] == label:
                action = {"type": "button", "block_id": block.get("block_id")}
                action |= {one: button[one] for one in ("action_id", "value") if one in button}
                payload: dict[str, Any] = {
                    **self._interaction("block_actions"),
                    "container": {"type": "view", "view_id": "V0HOME"},
                    "view": {**home, "id": "V0HOME"},
                    "actions": [action],
                }
                return self.world.deliveries.push("interactive", payload, self.id)
        raise AssertionError(f"no button {label!r} is in the Home tab")

    def presses_stop(self, thread: str, *, place: Conversation | None = None) -> Delivery | None:
        """Press the native Stop, which is there while the session of the thread is processing.

        Slack itself ends the streams of the thread; the app is to end the rest.
        """
        where = place or self.dm
        if not where.can_be_stopped(thread):
            raise AssertionError("no stop button is shown")
        stopped = where.streaming(thread)
        for message in stopped:
            assert message.stream is not None
            message.stream.ended = self.world.now()
        self.world.changed(where)
        event = {
            "type": "agent_session_stopped",
            "channel": where.id,
            "thread_ts": thread,
            "user": self.id,
            "streaming_message_ts": [one.ts for one in stopped],
            "event_ts": self.world.next_ts(),
        }
        return tell_raw(self.world, where, event)

    def commands(
        self, command: str, text: str = "", *, place: Conversation | None = None
    ) -> Delivery:
        """Use a slash command, which works beside threads only."""
        where = place or self.dm
        payload = {
            "token": "verification-token",
            "team_id": self.team,
            "team_domain": self.world.team["domain"],
            "channel_id": where.id,
            "channel_name": where.name or "directmessage",
            "user_id": self.id,
            "user_name": self.name.lower(),
            "command": command,
            "text": text,
            "api_app_id": self.world.app_id,
            "is_enterprise_install": "false",
            "response_url": self._response_url(where),
            "trigger_id": self._trigger(),
        }
        return self.world.deliveries.push(
            "slash_commands",
            payload,
            where.id,
            lambda said: answer(self.world, where, self.id, said),
        )

    def opens_home(self, tab: str = "home") -> Delivery | None:
        """Open the app, at its `home` or its `messages`."""
        view: dict[str, Any] = {"view": self.home} if tab == "home" and self.home else {}
        return self._told("app_home_opened", channel=self.dm.id, user=self.id, tab=tab, **view)

    def starts_assistant(self) -> Delivery | None:
        """Open a thread with an app that has the older assistant view."""
        return self._told(
            "assistant_thread_started",
            assistant_thread={
                "user_id": self.id,
                "context": {"channel_id": "C0SEEN", "team_id": self.team, "enterprise_id": None},
                "channel_id": self.dm.id,
                "thread_ts": self.world.next_ts(),
            },
        )

    def looks_at(self, *channels: str) -> Delivery | None:
        """Turn to other channels while the app is open beside them."""
        entities = [
            {"type": "slack#/types/channel_id", "value": one, "team_id": self.team}
            for one in channels
        ]
        context = {"entities": entities} if entities else {}
        return self._told("app_context_changed", user=self.id, channel=self.dm.id, context=context)

    def _told(self, kind: str, **fields: Any) -> Delivery | None:
        event = {"type": kind, **fields, "event_ts": self.world.next_ts()}
        return tell(self.world, event, lane=self.dm.id)

    def _interaction(self, kind: str) -> dict[str, Any]:
        user = {
            "id": self.id,
            "username": self.name.lower(),
            "name": self.name.lower(),
            "team_id": self.team,
        }
        team: Mapping[str, str] = {"id": self.team, "domain": self.world.team["domain"]}
        return {
            "type": kind,
            "user": user,
            "api_app_id": self.world.app_id,
            "token": "verification-token",
            "trigger_id": self._trigger(),
            "team": dict(team),
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def _trigger(self) -> str:
        trigger = self.world.next_name("trigger.")
        self.world.triggers[trigger] = self.world.now()
        return trigger

    def _response_url(
        self, place: Conversation, ts: str | None = None, thread: str | None = None
    ) -> str:
        token = self.world.next_name("response")
        response = Response(self.world.now(), self.id, place.id, ts, thread)
        self.world.responses[token] = response
        return f"{self.world.files.base}/actions/{token}"
