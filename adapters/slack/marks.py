"""Signs on people's messages: one reaction at a time, the newest in place of the last."""

from collections import OrderedDict

import structlog

from adapters.slack.api import Api, SaidNo
from adapters.slack.inbound import decode_message_id, is_command_id
from adapters.slack.outbound import REACTIONS
from gateway.ids import MessageId
from gateway.messages import Mark

log = structlog.get_logger()

_FOR_GOOD = {"missing_scope", "not_allowed_token_type"}
_REMEMBERED = 1000
_HARMLESS = {"already_reacted", "no_reaction", "message_not_found", "too_many_reactions"}


class Marks:
    """Puts reactions for one account, until it may not."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._may_react = True
        self._shown: OrderedDict[MessageId, Mark] = OrderedDict()

    async def put(self, message: MessageId, mark: Mark) -> None:
        if not self._may_react or is_command_id(message) or message.count(":") > 1:
            return
        before = self._shown.get(message)
        if before is mark:
            return
        if before is None and mark is not Mark.SEEN:
            before = Mark.SEEN  # an earlier process may have put it there
        if before is not None:
            await self._react("reactions.remove", message, REACTIONS[before])
        await self._react("reactions.add", message, REACTIONS[mark])
        self._shown[message] = mark
        if len(self._shown) > _REMEMBERED:
            self._shown.popitem(last=False)

    async def _react(self, method: str, message: MessageId, name: str) -> None:
        channel, ts = decode_message_id(message)
        try:
            await self._api.call(method, channel=channel, timestamp=ts, name=name)
        except SaidNo as refusal:
            if refusal.error in _FOR_GOOD:
                self._may_react = False
                log.warning("reactions.given_up", reason=str(refusal))
            elif refusal.error not in _HARMLESS:
                raise
