"""Finding a message of ours again, in what a channel shows."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from adapters.discord.choices import is_of_growing
from adapters.discord.inbound import decode_message_id, encode_message_id, interaction_id
from adapters.discord.markdown import UNSEEN, render
from adapters.discord.outbound import nonce
from adapters.discord.transport import Rest, SaidNo, unreadable
from gateway.errors import NotSupported, reading
from gateway.ids import MessageId
from gateway.messages import OutgoingMessage

_PAGE = 100
_PAGES_AT_MOST = 4
"""Discord takes about five such calls in five seconds; one put off begins the search anew."""

Json = Mapping[str, Any]


class History:
    """Reads back what we have written; nonces are not told there, so the rest has to do."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._us: str | None = None

    async def find(self, channel: str, sought: OutgoingMessage, after: int) -> MessageId | None:
        """Return the message if it is there, behind another or the command that it answers.

        Raises:
            NotSupported: that cannot be known.
        """
        try:
            us = self._us or await self._who_we_are()
            async for page in self._pages(channel, after):
                with reading(unreadable()):
                    own = [one for one in page if one["author"]["id"] == us]
                    found = [int(one["id"]) for one in own if _is_it(one, sought)]
                if found:
                    return encode_message_id(channel, str(max(found)))
        except SaidNo as refusal:
            raise NotSupported(str(refusal)) from refusal
        return None

    async def _pages(self, channel: str, after: int) -> AsyncIterator[Sequence[Json]]:
        """Read on to the end, oldest first.

        Raises:
            NotSupported: there is too much, or nothing at all: no history is ever empty in which
                the bot was spoken to, and to one that may not read it Discord shows an empty one.
        """
        for _ in range(_PAGES_AT_MOST):
            page = await self._page(channel, after, _PAGE)
            yield page
            if len(page) < _PAGE:
                break
            with reading(unreadable()):
                after = max(int(one["id"]) for one in page)
        else:
            raise NotSupported("more has been written since than is looked through")
        if not page and not await self._page(channel, 0, 1):
            raise NotSupported("the bot may not read what was written here")

    async def _page(self, channel: str, after: int, limit: int) -> Sequence[Json]:
        told = await self._rest.call(
            "GET",
            "/channels/{channel}/messages",
            channel=channel,
            after=str(after),
            limit=str(limit),
        )
        if not isinstance(told, list):
            raise unreadable()
        return told

    async def _who_we_are(self) -> str:
        told = await self._rest.call("GET", "/users/@me")
        with reading(unreadable()):
            self._us = str(told["id"])
        return self._us


def _is_it(message: Json, sought: OutgoingMessage) -> bool:
    if message.get("nonce") is not None:
        return bool(message["nonce"] == nonce(sought.key))
    answered = (message.get("message_reference") or {}).get("message_id")
    asked, command = sought.reply_to, interaction_id(sought.reply_to)
    if asked is not None and command is None and answered is not None:
        return bool(answered == decode_message_id(asked)[1])
    by_command = message.get("interaction_metadata") or {}
    if command is not None and by_command.get("id", command) != command:
        return False
    words = render(sought.text).removesuffix(UNSEEN).rstrip()
    if words:
        return str(message.get("content") or "").startswith(words)
    return _is_growing(message)


def _is_growing(message: Json) -> bool:
    return any(
        is_of_growing(button.get("custom_id") or "")
        for row in message.get("components") or ()
        for button in row.get("components") or ()
    )
