"""A small Slack on loopback: Web API, Socket Mode, signed HTTP, people, what they see.

    async with FakeSlack(clock=clock) as server:
        ann = server.user("U0ANN", "Ann")
        root = ann.writes("hi")
        shown = await ann.dm.until(lambda shown: shown[-1].shown == "hello Ann")

The app talks to `f"{server.url}/api/"` with `server.world.bot_token` and, for Socket Mode,
`app_token`; `server.posts_to(url)` tells it things by signed HTTP instead. Assert on what
people see (`place.shown(thread)`, `.status(thread)`, `.streaming()`, `ann.whispers()`,
`ann.home`), on what is live in it (`server.pings`), on the log of calls (`server.log`,
`server.calls("chat.update")`) and on what the app was told (`server.deliveries`, `.pending`).
`server.world` holds switches: `is_agent`, `scopes`, `subscriptions`, `token_refusal`,
`recipients_everywhere`, `file_seconds`; `server.world.rates` the rate limits (limits.py says
how they go with a clock that runs fast); `server.sockets` what happens to connections.
In a process of its own: `python -m tests.fakes.slack --port 8084`, steered through
`/_control/` (`control.py`).
"""

from tests.fakes.slack.calls import CallRecord
from tests.fakes.slack.conversation import Conversation, Ephemeral, Message, Task
from tests.fakes.slack.deliveries import Delivery
from tests.fakes.slack.people import OtherBot, User
from tests.fakes.slack.requests import Requests
from tests.fakes.slack.server import FakeSlack
from tests.fakes.slack.sockets import Sockets
from tests.fakes.slack.world import Ping

__all__ = [
    "CallRecord",
    "Conversation",
    "Delivery",
    "Ephemeral",
    "FakeSlack",
    "Message",
    "OtherBot",
    "Ping",
    "Requests",
    "Sockets",
    "Task",
    "User",
]
