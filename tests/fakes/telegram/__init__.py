"""A small Telegram on loopback: the Bot API, the people who write, and what chats show.

    async with FakeTelegram(clock=clock) as server:
        ann = server.user(42, "Ann")
        ann.writes("hi")
        shown = await ann.chat.until(lambda shown: shown[-1].text == "hello Ann")

The bot talks to `server.url` (`/bot<token>/<method>`, `/file/bot<token>/<path>`) with
`server.token`. Assert on what people see (`chat.shown()`, `chat.draft()`, `chat.typing`,
`chat.bot_texts()`) and on the log of calls (`server.log`, `server.calls("sendMessage")`).
`server.world` holds switches: `reads_all_groups`, `has_drafts`, `has_topics_in_private`.
In a process of its own: `python -m tests.fakes.telegram --port 8083 --token 1:T`, steered
through `/_control/` (`control.py`).
"""

from tests.fakes.telegram.calls import CallRecord
from tests.fakes.telegram.chat import Chat, Draft, Message, Typing
from tests.fakes.telegram.groups import Group
from tests.fakes.telegram.people import User
from tests.fakes.telegram.server import FakeTelegram
from tests.fakes.telegram.world import Press

__all__ = [
    "CallRecord",
    "Chat",
    "Draft",
    "FakeTelegram",
    "Group",
    "Message",
    "Press",
    "Typing",
    "User",
]
