"""The other side of the screen: what people write, send and press, and the events it makes.

ann = server.user(42, "Ann")
ann.writes("hi")                                   # in the conversation with the bot
ann.writes(f"{server.mention} hi", channel=general, reply_to=message)
ann.sends("notes.txt", b"...", words="look"); ann.sends_voice(); ann.sends_sticker()
thread = ann.posts(forum, "A question", f"{server.mention} why?")
ann.presses("Approve")                             # on the newest message that has it
ann.uses("new"); ann.uses("ask", question="why?", channel=general)
"""

from collections.abc import Iterable, Sequence
from typing import Any

from tests.fakes.discord import threads
from tests.fakes.discord.components import Component, selects
from tests.fakes.discord.files import StoredFile
from tests.fakes.discord.interaction import COMMAND, COMPONENT, Interaction
from tests.fakes.discord.mentions import named
from tests.fakes.discord.message import EPHEMERAL, REPLY, VOICE, Message
from tests.fakes.discord.messages import shown
from tests.fakes.discord.payloads import channel_payload
from tests.fakes.discord.person import Person
from tests.fakes.discord.places import THREADS, Channel

_BUTTON = 2


class User(Person):
    """Somebody who talks with the bot; see `Person` for reacting, blocking and the like."""

    def writes(
        self,
        text: str,
        *,
        channel: Channel | None = None,
        reply_to: Message | None = None,
        **more: Any,
    ) -> Message:
        """Write a text; `more` goes into the message's payload as it is."""
        return self._posts(text, channel=channel, reply_to=reply_to, extra=more)

    def sends(
        self,
        name: str,
        data: bytes = b"file",
        *,
        words: str = "",
        mime: str | None = None,
        size: int | None = None,
        channel: Channel | None = None,
        reply_to: Message | None = None,
        **extra: Any,
    ) -> Message:
        """Send a file; `size` may claim more bytes than there are."""
        place = channel or self.dm
        file = self.world.files.keep(
            self.world.next_id(), place.id, name, data, mime=mime, size=size, **extra
        )
        return self._posts(words, channel=place, reply_to=reply_to, files=[file])

    def sends_all(
        self, files: Iterable[tuple[str, bytes]], *, words: str = "", channel: Channel | None = None
    ) -> Message:
        """Send several files in one message."""
        place = channel or self.dm
        kept = [self.world.files.keep(self.world.next_id(), place.id, *one) for one in files]
        return self._posts(words, channel=place, files=kept)

    def sends_voice(
        self, data: bytes = b"OggS voice", *, channel: Channel | None = None
    ) -> Message:
        """Send a voice message: a file with a flag and the shape of its sound."""
        place = channel or self.dm
        file = self.world.files.keep(
            self.world.next_id(),
            place.id,
            "voice-message.ogg",
            data,
            mime="audio/ogg",
            duration_secs=3.2,
            waveform="AAECAwQFBgc=",
        )
        return self._posts("", channel=place, files=[file], flags=VOICE)

    def sends_sticker(self, name: str = "Wave", *, channel: Channel | None = None) -> Message:
        sticker = {"id": "749054660769218631", "name": name, "format_type": 1}
        return self._posts("", channel=channel, stickers=[sticker])

    def forwards(self, message: Message, *, channel: Channel | None = None) -> Message:
        """Send on somebody's message: an empty one with a copy inside."""
        whole = shown(self.world, self.world.channels[message.channel_id], message)
        kept = ("type", "content", "embeds", "attachments", "timestamp", "edited_timestamp")
        copy = {name: whole[name] for name in kept} | {"flags": 0, "mentions": []}
        reference = {
            "type": 1,
            "message_id": str(message.id),
            "channel_id": str(message.channel_id),
        }
        return self._posts(
            "",
            channel=channel,
            extra={"message_snapshots": [{"message": copy}], "message_reference": reference},
        )

    def posts(self, forum: Channel, title: str, text: str, *, data: bytes | None = None) -> Channel:
        """Open a post in a forum; return its thread."""
        thread = threads.make_thread(self.world, forum, self.world.next_id(), title, self.id, {})
        files = []
        if data is not None:
            files = [self.world.files.keep(self.world.next_id(), thread.id, "post.txt", data)]
        self._posts(text, channel=thread, files=files, message_id=thread.id)
        return thread

    def edits(self, message: Message, text: str) -> None:
        """Change an own message."""
        channel = self.world.channels[message.channel_id]
        message.earlier.append(message.content)
        message.content = text
        message.edited_at = self.world.now()
        self._names(message, channel)
        self.world.tell_message("MESSAGE_UPDATE", channel, message)
        self.world.changed(channel)

    def _posts(
        self,
        text: str,
        *,
        channel: Channel | None = None,
        reply_to: Message | None = None,
        files: Sequence[StoredFile] = (),
        stickers: Sequence[dict[str, Any]] = (),
        flags: int = 0,
        message_id: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> Message:
        place = channel or self.dm
        message = Message(
            id=message_id or self.world.next_id(),
            channel_id=place.id,
            who=self.name,
            author=self.payload,
            at=self.world.now(),
            content=text.strip(),
            files=list(files),
            stickers=list(stickers),
            flags=flags,
            reply_to=reply_to,
            extra=extra or {},
        )
        if reply_to is not None:
            message.kind = REPLY
            message.reference = {
                "type": 0,
                "message_id": str(reply_to.id),
                "channel_id": str(place.id),
                **({"guild_id": str(place.guild.id)} if place.guild else {}),
            }
        self._names(message, place)
        self._wakes(place)
        self.world.add(place, message)
        return message

    def _wakes(self, place: Channel) -> None:
        if place.thread is not None:
            place.thread.members.add(self.id)
            if place.thread.archived:
                threads.archive(self.world, place, archived=False)

    def _names(self, message: Message, place: Channel) -> None:
        """Note whom a message calls; the author of what it answers is called too."""
        called = named(message.content)
        known = self.world.users
        message.mentions = [known[one] for one in called.users if one in known]
        if message.reply_to is not None and message.reply_to.author not in message.mentions:
            message.mentions.append(message.reply_to.author)
        roles = place.guild.roles if place.guild else {}
        message.mention_roles = [one for one in called.roles if one in roles]
        message.mention_everyone = called.everyone and place.guild is not None

    # Commands and buttons.

    def uses(self, command: str, *, channel: Channel | None = None, **options: Any) -> Interaction:
        """Use a slash command that the bot has registered."""
        place = channel or self.dm
        known = self._command(command, place)
        data: dict[str, Any] = {"id": known["id"], "name": command, "type": 1}
        if place.guild is not None and "guild_id" in known:
            data["guild_id"] = known["guild_id"]
        types = {one["name"]: one for one in known.get("options") or []}
        missing = {name for name, one in types.items() if one.get("required")} - options.keys()
        assert not missing, f"/{command} needs {missing}"
        assert options.keys() <= types.keys(), f"/{command} knows only {set(types)}"
        if options:
            data["options"] = [
                {"name": name, "type": types[name]["type"], "value": value}
                for name, value in options.items()
            ]
        return self._interacts(COMMAND, place, data)

    def _command(self, name: str, place: Channel) -> dict[str, Any]:
        guild_id = place.guild.id if place.guild else None
        own = self.world.commands.get(guild_id, []) if guild_id is not None else []
        for one in (*own, *self.world.commands.get(None, [])):
            if one["name"] == name and _is_offered(one, place):
                return one
        raise AssertionError(f"no command /{name} is offered here")

    def presses(
        self, label: str, *, on: Message | None = None, channel: Channel | None = None
    ) -> Interaction:
        """Press a button, on the newest message that has it unless `on` names one."""
        place = channel or self.dm
        candidates = [on] if on is not None else list(reversed(place.shown(self.id)))
        for message in candidates:
            button = message.button(label)
            if button is not None:
                data = {"custom_id": button["custom_id"], "component_type": _BUTTON}
                return self._interacts(COMPONENT, place, data, message)
        raise AssertionError(f"no button {label!r} is shown")

    def picks(self, *values: str, on: Message, channel: Channel | None = None) -> Interaction:
        """Take values from the first menu of a message."""
        place = channel or self.dm
        menu: Component = next(selects(on.components))
        offered = {option["value"] for option in menu.get("options") or []}
        assert set(values) <= offered, f"the menu offers {offered}"
        data = {
            "custom_id": menu["custom_id"],
            "component_type": menu["type"],
            "values": list(values),
        }
        return self._interacts(COMPONENT, place, data, on)

    def _interacts(
        self, kind: int, place: Channel, data: dict[str, Any], message: Message | None = None
    ) -> Interaction:
        number = self.world.next_id()
        interaction = Interaction(
            id=number,
            token=f"token-of-{number}",
            kind=kind,
            user=self.payload,
            channel=place,
            data=data,
            at=self.world.now(),
            message=message,
        )
        self.world.interactions[number] = interaction
        self.world.tell("INTERACTION_CREATE", 0, self._told(interaction))
        self.world.changed(place)
        return interaction

    def _told(self, interaction: Interaction) -> dict[str, Any]:
        place = interaction.channel
        told: dict[str, Any] = {
            "id": str(interaction.id),
            "application_id": str(self.world.application_id),
            "type": interaction.kind,
            "token": interaction.token,
            "version": 1,
            "data": interaction.data,
            "channel_id": str(place.id),
            "channel": channel_payload(place),
            "locale": "en-US",
            "app_permissions": str(int(place.permissions(self.world.bot_id))),
            "entitlements": [],
            "authorizing_integration_owners": {},
            "attachment_size_limit": self.world.file_bytes,
            "context": 1 if place.is_direct else 0,
        }
        if interaction.message is not None:
            told["message"] = shown(self.world, place, interaction.message)
            if interaction.message.flags & EPHEMERAL:
                told["message"]["flags"] |= EPHEMERAL
        if place.guild is None:
            return {**told, "user": self.payload}
        member = place.guild.members[self.id]
        permissions = str(int(place.permissions(self.id)))
        return {
            **told,
            "guild_id": str(place.guild.id),
            "guild": {"id": str(place.guild.id), "locale": "en-US", "features": []},
            "guild_locale": "en-US",
            "member": {**member.payload(), "user": self.payload, "permissions": permissions},
        }


def _is_offered(command: dict[str, Any], place: Channel) -> bool:
    """Whether a command is in the menu of a place."""
    contexts = command.get("contexts")
    if not place.is_direct:
        return place.kind in {0, 5, *THREADS} and (contexts is None or 0 in contexts)
    if "guild_id" in command:
        return False
    return command.get("dm_permission", True) if contexts is None else 1 in contexts
