"""A small Discord on loopback: REST, gateway and CDN, the people who write, what channels show.

    async with FakeDiscord(clock=clock) as server:
        ann = server.user(42, "Ann")
        team = server.guild("Team", [ann])
        general = team.text("general")
        ann.writes("hi")                                        # to the bot directly
        ann.writes(f"{server.mention} hi", channel=general)
        shown = await general.until(lambda shown: shown[-1].text == "hello Ann")

The bot talks to `server.api_base` with `server.token`, and listens at `server.gateway_url`.
Assert on what people see (`channel.shown()`, `channel.bot_texts()`, `channel.is_typing()`,
`interaction.answers`), on whom the bot called (`server.pings`), and on the log of calls
(`server.log`, `server.calls("send")`; the names are in `routes.py`). `server.gateway` breaks
connections; `server.faults` breaks calls, also those to the gateway and the CDN: a redirect is
`Answer(302, b"", {"Location": url})` on the path `/attachments/`.

Time is the server's clock, also where it runs faster than the machine's: nonces are remembered
for `world.nonce_seconds`, an interaction waits `world.answer_seconds` for its answer; `limits.py`
says how rate limits are told to a client that sleeps by the machine's clock.
In a process of its own: `python -m tests.fakes.discord --port 8084 --token T`, steered through
`/_control/` (`control.py`).
"""

from tests.fakes.discord.calls import CallRecord
from tests.fakes.discord.files import StoredFile
from tests.fakes.discord.interaction import Interaction
from tests.fakes.discord.mentions import Ping
from tests.fakes.discord.message import Message
from tests.fakes.discord.people import User
from tests.fakes.discord.permissions import May
from tests.fakes.discord.places import Channel
from tests.fakes.discord.server import FakeDiscord
from tests.fakes.discord.servers import Guild

__all__ = [
    "CallRecord",
    "Channel",
    "FakeDiscord",
    "Guild",
    "Interaction",
    "May",
    "Message",
    "Ping",
    "StoredFile",
    "User",
]
