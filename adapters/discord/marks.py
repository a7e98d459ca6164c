"""Signs on people's messages: one of ours at a time."""

from collections import OrderedDict
from contextlib import suppress

import structlog

from adapters.discord.inbound import decode_message_id
from adapters.discord.transport import Rest, SaidNo
from gateway.clock import Clock
from gateway.errors import NotSupported, RetryLater
from gateway.ids import MessageId
from gateway.messages import Mark

log = structlog.get_logger()

_EMOJI = {Mark.SEEN: "👀", Mark.DONE: "✅", Mark.FAILED: "❌"}
_REMEMBERED = 1000
_FORBIDDEN = {50001, 50013}
_WAITED_FOR = 1.0
"""Discord allows four signs a second in a channel: such a pause is no reason to lose one."""
_TRIES = 3
_PATH = "/channels/{channel}/messages/{message}/reactions/{emoji}/@me"


class Marks:
    """Puts them by reactions, and gives up where these are not allowed."""

    def __init__(self, rest: Rest, clock: Clock) -> None:
        self._rest = rest
        self._clock = clock
        self._shown: OrderedDict[MessageId, Mark] = OrderedDict()
        self._refused: set[str] = set()

    async def put(self, message: MessageId, mark: Mark) -> None:
        channel, number = decode_message_id(message)
        if channel in self._refused:
            raise NotSupported("reactions are not allowed here")
        before = self._shown.get(message)
        if before is mark:
            return
        try:
            await self._react("PUT", channel, number, mark)
        except SaidNo as refusal:
            if refusal.code in _FORBIDDEN:
                log.warning("reactions.given_up", reason=str(refusal))
                self._refused.add(channel)
            raise NotSupported(str(refusal)) from refusal
        self._shown[message] = mark
        if len(self._shown) > _REMEMBERED:
            self._shown.popitem(last=False)
        if before is None and mark is not Mark.SEEN:
            before = Mark.SEEN  # an earlier process may have put it there
        if before is not None:
            with suppress(SaidNo):
                await self._react("DELETE", channel, number, before)

    async def _react(self, method: str, channel: str, number: str, mark: Mark) -> None:
        for tries_left in reversed(range(_TRIES)):
            try:
                await self._rest.call(
                    method, _PATH, channel=channel, message=number, emoji=_EMOJI[mark]
                )
            except RetryLater as pause:
                if not tries_left or pause.after > _WAITED_FOR:
                    raise
                await self._clock.sleep(pause.after)
            else:
                return
