"""Signs on people's messages: one of ours at a time."""

from collections import OrderedDict

import structlog

from adapters.discord.inbound import decode_message_id
from adapters.discord.transport import Rest, SaidNo
from gateway.errors import NotSupported
from gateway.ids import MessageId
from gateway.messages import Mark

log = structlog.get_logger()

_EMOJI = {Mark.SEEN: "👀", Mark.DONE: "✅", Mark.FAILED: "❌"}
_REMEMBERED = 1000
_PATH = "/channels/{channel}/messages/{message}/reactions/{emoji}/@me"


class Marks:
    """Puts them by reactions, and gives up where these are not allowed."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
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
            log.warning("reactions.given_up", reason=str(refusal))
            self._refused.add(channel)
            raise NotSupported(str(refusal)) from refusal
        self._shown[message] = mark
        if len(self._shown) > _REMEMBERED:
            self._shown.popitem(last=False)
        if before is not None:
            await self._react("DELETE", channel, number, before)

    async def _react(self, method: str, channel: str, number: str, mark: Mark) -> None:
        await self._rest.call(method, _PATH, channel=channel, message=number, emoji=_EMOJI[mark])
