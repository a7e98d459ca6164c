"""Where to send: a channel, a thread, or a thread that has still to be made from a message."""

from collections import OrderedDict

import structlog

from adapters.discord.outbound import thread_name
from adapters.discord.places import Places
from adapters.discord.transport import Rest, SaidNo
from gateway.messages import Message, Place

log = structlog.get_logger()

_EXISTS = 160004
_LASTS_MINUTES = 1440
_REMEMBERED = 1000


class Threads:
    """Makes threads when something is first said in them."""

    def __init__(self, rest: Rest, places: Places) -> None:
        self._rest = rest
        self._places = places
        self._made: OrderedDict[str, str] = OrderedDict()
        """By the id of a thread: the channel that stands for it, mostly itself."""
        self._words: OrderedDict[str, str] = OrderedDict()

    def note(self, message: Message) -> None:
        """Remember the words that a thread will be named by."""
        thread = message.address.place.thread
        if thread is not None and message.message_id.endswith(f":{thread}"):
            _keep(self._words, thread, thread_name(message.text))

    async def channel(self, place: Place) -> str:
        """Return the channel to send to; raises what a call raises."""
        thread = place.thread
        if thread is None:
            return place.conversation
        if self._places.find(thread) is not None:
            return thread
        if thread not in self._made:
            _keep(self._made, thread, await self._make(place.conversation, thread))
        return self._made[thread]

    async def _make(self, channel: str, message: str) -> str:
        """Make a thread from a message, whose id it then bears; else answer in the channel."""
        name = self._words.pop(message, None) or thread_name("")
        try:
            await self._rest.call(
                "POST",
                "/channels/{channel}/messages/{message}/threads",
                {"name": name, "auto_archive_duration": _LASTS_MINUTES},
                channel=channel,
                message=message,
            )
        except SaidNo as refusal:
            if refusal.code == _EXISTS or await self._is_there(message):
                return message
            log.warning("thread.refused", reason=str(refusal))
            return channel
        return message

    async def _is_there(self, thread: str) -> bool:
        """Say whether a thread exists that was not made from a message, or lies in the archive."""
        try:
            await self._rest.call("GET", "/channels/{channel}", channel=thread)
        except SaidNo:
            return False
        return True


def _keep(of: OrderedDict[str, str], key: str, value: str) -> None:
    of[key] = value
    if len(of) > _REMEMBERED:
        of.popitem(last=False)
