"""Signs on people's messages: a bot has one reaction, and a new one takes its place.

Facts: https://core.telegram.org/bots/api#setmessagereaction
"""

import structlog

from adapters.telegram.api import Api, SaidNo
from adapters.telegram.inbound import decode_message_id
from gateway.errors import NotSupported
from gateway.ids import MessageId
from gateway.messages import Mark

log = structlog.get_logger()

_EMOJI = {Mark.SEEN: "👀", Mark.DONE: "👍", Mark.FAILED: "👎"}
"""All three are among those that a bot may choose."""
_NOT_HERE = (
    "reaction_invalid",
    "reactions_disabled",
    "write_forbidden",
    "admin_required",
    "not enough rights",
    "have no rights",
    "method not found",
)


class Marks:
    """Puts them for one account, and gives up in chats that do not allow them."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._refused: set[int] = set()

    async def put(self, message: MessageId, mark: Mark) -> None:
        chat, number = decode_message_id(message)
        if not number or chat in self._refused:
            raise NotSupported("there are no reactions here")
        reaction = [{"type": "emoji", "emoji": _EMOJI[mark]}]
        try:
            await self._api.call(
                "setMessageReaction",
                {"chat_id": chat, "message_id": number, "reaction": reaction},
            )
        except SaidNo as refusal:
            if refusal.says("not modified", "not_modified"):
                return
            if not refusal.says(*_NOT_HERE):
                raise
            self._refused.add(chat)
            log.info("reactions.given_up", reason=str(refusal))
            raise NotSupported(str(refusal)) from refusal
