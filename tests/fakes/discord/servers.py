"""Making servers and their channels.

team = server.guild("Team", [ann, bob])
general = team.text("general"); questions = team.forum("questions")
team.denies(general, May.SEND_MESSAGES)            # to the bot
"""

from collections.abc import Iterable

from tests.fakes.discord.message import Message
from tests.fakes.discord.payloads import guild_create_payload
from tests.fakes.discord.permissions import May, Overwrite
from tests.fakes.discord.places import FORUM, NEWS, TEXT, Channel, Member, Role
from tests.fakes.discord.places import Guild as State
from tests.fakes.discord.world import World


class Guild(State):
    """A server, as tests make one."""

    def __init__(self, world: World, guild_id: int, name: str) -> None:
        super().__init__(guild_id, name, owner_id=1)
        self._world = world

    def text(self, name: str = "general") -> Channel:
        return self._channel(TEXT, name)

    def news(self, name: str = "news") -> Channel:
        return self._channel(NEWS, name)

    def forum(self, name: str = "questions") -> Channel:
        return self._channel(FORUM, name)

    def _channel(self, kind: int, name: str) -> Channel:
        number = self._world.next_id()
        made = Channel(number, kind, name=name, guild=self, clock_now=self._world.now)
        self._world.add_channel(made)
        self._world.tell_channel("CHANNEL_CREATE", made)
        return made

    def role(self, name: str, permissions: int = 0, *, is_mentionable: bool = False) -> Role:
        made = Role(self._world.next_id(), name, permissions, is_mentionable)
        self.roles[made.id] = made
        data = {"guild_id": str(self.id), "role": made.payload()}
        self._world.tell("GUILD_ROLE_CREATE", 1, data)
        return made

    def admits(self, user_id: int) -> None:
        """Let somebody in."""
        self.members[user_id] = Member(self._world.users[user_id], self._world.now())

    def denies(self, channel: Channel, what: May) -> None:
        """Take permissions from the bot in a channel."""
        self._overwrite(channel, allow=May(0), deny=what)

    def permits(self, channel: Channel, what: May) -> None:
        """Give permissions to the bot in a channel."""
        self._overwrite(channel, allow=what, deny=May(0))

    def _overwrite(self, channel: Channel, *, allow: May, deny: May) -> None:
        channel.overwrites[self._world.bot_id] = Overwrite(is_member=True, allow=allow, deny=deny)
        self._world.tell_channel("CHANNEL_UPDATE", channel)

    def deletes(self, channel: Channel) -> None:
        """Take a channel or thread away."""
        name = "CHANNEL_DELETE" if channel.thread is None else "THREAD_DELETE"
        self._world.tell_channel(name, channel)
        del self._world.channels[channel.id], self.channels[channel.id]

    def hook_writes(self, channel: Channel, name: str, text: str) -> Message:
        """Write as a webhook does: with an author who is nobody."""
        number = self._world.next_id()
        author = {
            "id": str(number),
            "username": name,
            "discriminator": "0000",
            "global_name": None,
            "avatar": None,
            "bot": True,
        }
        message = Message(
            id=self._world.next_id(),
            channel_id=channel.id,
            who=name,
            author=author,
            at=self._world.now(),
            content=text,
            webhook_id=number,
        )
        self._world.add(channel, message)
        return message


def make_guild(world: World, name: str, members: Iterable[int]) -> Guild:
    """Make a server with the bot in it, which is told so."""
    guild = Guild(world, world.next_id(), name)
    world.guilds[guild.id] = guild
    for user_id in (world.bot_id, *members):
        guild.admits(user_id)
    world.tell("GUILD_CREATE", 1, guild_create_payload(guild, world.bot_id))
    return guild
