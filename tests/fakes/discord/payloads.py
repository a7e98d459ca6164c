"""Everything as the API writes it.

Facts: https://discord.com/developers/docs/resources/message and the pages beside it
"""

from typing import Any

from tests.fakes.discord.files import Files
from tests.fakes.discord.message import Message
from tests.fakes.discord.places import CATEGORY, FORUM, THREADS, Channel, Guild
from tests.fakes.discord.times import iso

_CONTENT: dict[str, Any] = {"content": "", "embeds": [], "attachments": [], "components": []}
"""What is left of a message for those who may not read contents."""


def channel_payload(channel: Channel) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": str(channel.id),
        "type": channel.kind,
        "last_message_id": _optional(channel.last_message_id),
        "flags": 0,
    }
    if channel.guild is None:
        return {**shown, "recipients": [channel.recipient]}
    shown |= {
        "name": channel.name,
        "guild_id": str(channel.guild.id),
        "parent_id": _optional(channel.parent.id if channel.parent else None),
        "nsfw": False,
        "rate_limit_per_user": 0,
    }
    if channel.thread is not None:
        return {**shown, **_thread(channel)}
    overwrites = [one.payload(target) for target, one in channel.overwrites.items()]
    shown |= {"position": 0, "permission_overwrites": overwrites, "topic": None}
    if channel.kind == FORUM:
        shown |= {"available_tags": [], "default_forum_layout": 0, "default_sort_order": None}
    return shown


def _thread(channel: Channel) -> dict[str, Any]:
    assert channel.thread is not None
    count = len(channel.shown())
    return {
        "owner_id": str(channel.thread.owner_id),
        "thread_metadata": channel.thread.payload(),
        "message_count": count,
        "total_message_sent": count,
        "member_count": len(channel.thread.members),
        "applied_tags": [],
    }


def guild_payload(guild: Guild) -> dict[str, Any]:
    """Write a server as REST does."""
    return {
        "id": str(guild.id),
        "name": guild.name,
        "icon": None,
        "splash": None,
        "discovery_splash": None,
        "description": None,
        "banner": None,
        "owner_id": str(guild.owner_id),
        "region": "deprecated",
        "afk_channel_id": None,
        "afk_timeout": 300,
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "nsfw_level": 0,
        "nsfw": False,
        "application_id": None,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "public_updates_channel_id": None,
        "safety_alerts_channel_id": None,
        "vanity_url_code": None,
        "premium_tier": 0,
        "premium_subscription_count": 0,
        "premium_progress_bar_enabled": False,
        "preferred_locale": "en-US",
        "features": [],
        "emojis": [],
        "stickers": [],
        "roles": [role.payload() for role in guild.roles.values()],
        "max_members": 500_000,
    }


def guild_create_payload(guild: Guild, bot_id: int) -> dict[str, Any]:
    """Write a server as the gateway tells of it to a bot without the members' intent."""
    seen = [
        one for one in guild.channels.values() if one.kind == CATEGORY or one.permissions(bot_id)
    ]
    bot = guild.members[bot_id]
    return {
        **guild_payload(guild),
        "joined_at": bot.payload()["joined_at"],
        "large": False,
        "member_count": len(guild.members),
        "members": [member_payload(guild, bot_id)],
        "channels": [channel_payload(one) for one in seen if one.kind not in THREADS],
        "threads": [channel_payload(one) for one in guild.threads if one in seen],
        "voice_states": [],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def member_payload(guild: Guild, user_id: int) -> dict[str, Any]:
    member = guild.members[user_id]
    return {**member.payload(), "user": member.user}


class MessageWriter:
    """Writes messages as the bot gets to see them."""

    def __init__(self, files: Files, bot_id: int) -> None:
        self._files = files
        self._bot_id = bot_id

    def write(
        self, channel: Channel, message: Message, now: float, *, reads_content: bool = True
    ) -> dict[str, Any]:
        """Write a message as REST does, one level of what it answers with it."""
        shown = self._bare(channel, message, now)
        if message.reply_to is not None:
            replied = message.reply_to
            shown["referenced_message"] = (
                None if replied.is_deleted else self._bare(channel, replied, now)
            )
        if reads_content or channel.is_direct:
            return shown
        for one in (shown, shown.get("referenced_message")):
            if one is not None and not self._is_exempt(one):
                one.update(_CONTENT)
        return shown

    def write_event(
        self, channel: Channel, message: Message, now: float, *, reads_content: bool
    ) -> dict[str, Any]:
        """Write a message as the gateway does: with its server, and who its author is there."""
        shown = self.write(channel, message, now, reads_content=reads_content)
        if channel.guild is None:
            return {**shown, "channel_type": channel.kind}
        shown["guild_id"] = str(channel.guild.id)
        shown["channel_type"] = channel.kind
        member = channel.guild.members.get(int(message.author["id"]))
        if member is not None and message.webhook_id is None:
            shown["member"] = member.payload()
        return shown

    def _is_exempt(self, shown: dict[str, Any]) -> bool:
        """Whether it is read without the intent: the bot's own, or one that calls it."""
        own = str(self._bot_id)
        return shown["author"]["id"] == own or any(one["id"] == own for one in shown["mentions"])

    def _bare(self, channel: Channel, message: Message, now: float) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": str(message.id),
            "channel_id": str(message.channel_id),
            "type": message.kind,
            "author": message.author,
            "content": message.content,
            "timestamp": iso(message.at),
            "edited_timestamp": None if message.edited_at is None else iso(message.edited_at),
            "tts": False,
            "pinned": False,
            "flags": message.flags,
            "mention_everyone": message.mention_everyone,
            "mentions": message.mentions,
            "mention_roles": [str(role) for role in message.mention_roles],
            "attachments": [self._files.payload(file, now) for file in message.files],
            "embeds": message.embeds,
            "components": message.components,
        }
        if message.reactions:
            shown["reactions"] = self._reactions(message)
        if message.stickers:
            shown["sticker_items"] = message.stickers
        return {**shown, **_optional_fields(channel, message), **message.extra}

    def _reactions(self, message: Message) -> list[dict[str, Any]]:
        return [
            {
                "emoji": {"id": None, "name": emoji},
                "count": len(who),
                "count_details": {"burst": 0, "normal": len(who)},
                "burst_colors": [],
                "me_burst": False,
                "me": self._bot_id in who,
            }
            for emoji, who in message.reactions.items()
        ]


def _optional_fields(channel: Channel, message: Message) -> dict[str, Any]:
    given = {
        "message_reference": message.reference,
        "webhook_id": _optional(message.webhook_id),
        "application_id": _optional(message.application_id),
        "interaction_metadata": message.metadata,
    }
    shown = {name: value for name, value in given.items() if value is not None}
    thread = channel.guild.channels.get(message.id) if channel.guild else None
    if thread is not None and thread.id != channel.id:
        shown["thread"] = channel_payload(thread)
    return shown


def _optional(number: int | None) -> str | None:
    return None if number is None else str(number)
