"""The methods of the Web API, for who may call them now."""

from collections.abc import Callable
from typing import Any

from tests.fakes.slack import posting, reading, signals, streaming, uploads
from tests.fakes.slack.arguments import METHODS
from tests.fakes.slack.calls import Call
from tests.fakes.slack.refusal import Refusal, missing_scope, rate_limited
from tests.fakes.slack.sockets import Sockets
from tests.fakes.slack.world import World

_HANDLERS: dict[str, Callable[[World, Call], Any]] = {
    "auth.test": reading.auth_test,
    "team.info": reading.team_info,
    "bots.info": reading.bots_info,
    "users.info": reading.users_info,
    "users.conversations": reading.list_conversations,
    "conversations.history": reading.history,
    "conversations.replies": reading.replies,
    "conversations.info": reading.conversation_info,
    "conversations.members": reading.conversation_members,
    "conversations.list": reading.list_conversations,
    "conversations.open": reading.open_conversation,
    "chat.postMessage": posting.post_message,
    "chat.update": posting.update,
    "chat.delete": posting.delete,
    "chat.postEphemeral": posting.post_ephemeral,
    "chat.getPermalink": posting.permalink,
    "chat.startStream": streaming.start_stream,
    "chat.appendStream": streaming.append_stream,
    "chat.stopStream": streaming.stop_stream,
    "assistant.threads.setStatus": streaming.set_status,
    "assistant.threads.setSuggestedPrompts": streaming.set_prompts,
    "assistant.threads.setTitle": streaming.set_title,
    "agents.sessions.setStatus": streaming.set_session,
    "agents.sessions.rename": streaming.rename_session,
    "reactions.add": signals.add_reaction,
    "reactions.remove": signals.remove_reaction,
    "files.getUploadURLExternal": uploads.get_upload_url,
    "files.completeUploadExternal": uploads.complete_upload,
    "files.info": uploads.file_info,
    "files.delete": uploads.delete_file,
    "views.publish": signals.publish_home,
    "views.open": signals.open_view,
}


class Methods:
    """Checks token, scopes and rates, then does the call."""

    def __init__(self, world: World, sockets: Sockets) -> None:
        self._world = world
        self._sockets = sockets
        self.base = ""
        """Address of the server, once it runs."""

    def answer(self, call: Call) -> Any:
        self._check_token(call)
        seconds = self._world.rates.refuse(call.method, call.channel, self._world.now())
        if seconds is not None:
            raise rate_limited(seconds)
        if call.method == "apps.connections.open":
            return self._open_connection()
        return _HANDLERS[call.method](self._world, call)

    def _open_connection(self) -> Any:
        if self._sockets.refuses is not None:
            raise Refusal(self._sockets.refuses)
        address = self.base.replace("http", "ws", 1)
        return {"url": f"{address}/link/?ticket={self._sockets.ticket()}"}

    def _check_token(self, call: Call) -> None:
        world = self._world
        if not call.token:
            raise Refusal("not_authed")
        if call.token not in {world.bot_token, world.app_token}:
            raise Refusal("invalid_auth")
        if world.token_refusal:
            raise Refusal(world.token_refusal)
        is_for_app = call.method == "apps.connections.open"
        if (call.token == world.app_token) != is_for_app:
            raise Refusal("not_allowed_token_type")
        needed = METHODS[call.method].scopes
        if needed and not is_for_app and not world.scopes & set(needed):
            raise missing_scope(needed[0], world.scopes)
