"""Calls to the Web API in the gateway's terms: what a failure means, and what to wait for."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.slack.pace import Pace
from adapters.slack.settings import SlackSettings
from adapters.slack.transport import Connections, web_client
from gateway.clock import Clock, believed
from gateway.errors import (
    MALFORMED,
    AccountRejected,
    GatewayError,
    HeldBack,
    RetryLater,
    SendRefused,
    SendUncertain,
)

SOON = 1.0
"""Before a call is tried again that never arrived, or that may be made twice."""
UNTOLD_PENALTY = 30.0
"""For a penalty whose length Slack does not say."""

_NOT_NOW = {
    "ratelimited",
    "rate_limited",
    "message_limit_exceeded",
    "service_unavailable",
    "request_timeout",
    "team_added_to_org",
}
_POSTS = {"chat.postMessage", "chat.postEphemeral"}
_IN_DOUBT = {"fatal_error", "internal_error"}
"""Slack says of these itself that part of the work may have been done."""
DEAD_TOKEN = {
    "invalid_auth": "Slack refuses the token; copy it anew from the app's settings",
    "not_authed": "Slack refuses the token; copy it anew from the app's settings",
    "account_inactive": "the app was removed from the workspace; install it again",
    "token_revoked": "the token was revoked; install the app again and copy the new one",
    "token_expired": "the token has expired; turn token rotation off in the app's settings",
    "not_allowed_token_type": "this token is of the wrong kind; look at bot_token and app_token",
}
_WORDS = {
    "channel_not_found": "the channel does not exist, or the bot is not in it",
    "not_in_channel": "the bot is not in this channel; invite it",
    "is_archived": "the channel is archived",
    "restricted_action": "the workspace does not let the bot write here",
    "restricted_action_read_only_channel": "only some people may write in this channel",
    "restricted_action_thread_locked": "the thread is locked",
    "cannot_reply_to_message": "this message cannot be answered in a thread",
    "message_not_found": "the message no longer exists",
    "thread_not_found": "the thread no longer exists",
    "cant_update_message": "the message is not the bot's own",
    "cant_delete_message": "the message is not the bot's own",
    "edit_window_closed": "the message is too old to be changed",
    "msg_too_long": "the text is too long",
    "msg_blocks_too_long": "the text is too long",
    "user_disabled": "the user's account no longer exists",
    "messages_tab_disabled": "the app's Messages tab is off: turn it on under App Home",
    "file_uploads_disabled": "the workspace lets nobody upload files",
    "storage_limit_reached": "the workspace has no room for files left",
}

_GONE = {"channel_not_found", "is_archived", "thread_not_found", "user_disabled"}


class SaidNo(SendRefused):
    """Slack refused one call for good; `error` is its name for the reason."""

    def __init__(self, error: str, needed: str = "") -> None:
        self.error = error
        self.needed = needed
        words = _WORDS.get(error, f"Slack refused: {error}")
        if error == "missing_scope":
            words = f"the app lacks the scope {needed}; add it and install the app again"
        super().__init__(words, is_gone=error in _GONE)


class NoRoom(HeldBack):
    """A call that a better one will follow was left out, so that there is room for that."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What Slack said, and the headers that it came with."""

    data: Mapping[str, Any]
    headers: Mapping[str, str]


class Api:
    """One app's calls. None is made while Slack's penalty for its method lasts."""

    def __init__(self, settings: SlackSettings, clock: Clock) -> None:
        self._clock = clock
        self._base = settings.api_base
        self._token = settings.bot_token.get_secret_value()
        self.connections = Connections()
        self._pace = Pace(clock)
        self._penalties: dict[str, float] = {}
        """Until when, by the adapter's clock, what is limited must be left alone."""

    async def open(self) -> None:
        await self.connections.open()
        self.client = web_client(self._token, self._base, self.connections.session)

    async def close(self) -> None:
        await self.connections.close()

    async def call(
        self,
        method: str,
        *,
        is_repeatable: bool = True,
        is_passing: bool = False,
        **parameters: Any,
    ) -> Any:
        """Make one call, encoded as the SDK does it, and return its answer.

        Raises `RetryLater`, `SaidNo` and `AccountRejected`; for a call that must not be made
        twice also `SendUncertain`. A call that `is_passing` leaves room for those that are not.
        """
        wait = self._pace.take(_limited(method, parameters), is_passing=is_passing)
        if wait and is_passing:
            raise NoRoom(method, wait)
        if wait:
            raise HeldBack(f"as many calls of {method} as Slack allows", wait)
        return (await self.ask(method, is_repeatable=is_repeatable, **parameters)).data

    def left(self, method: str) -> float:
        """Return how many calls of a method Slack would take at once."""
        return self._pace.left(method)

    async def ask(self, method: str, *, is_repeatable: bool = True, **parameters: Any) -> Answer:
        """Make one call and return its answer with its headers."""
        send = getattr(self.client, method.replace(".", "_"))
        key = _limited(method, parameters)
        return await self._made(key, lambda: send(**parameters), is_repeatable=is_repeatable)

    async def post_form(self, method: str, form: dict[str, str], *, is_repeatable: bool) -> Any:
        """Make a call whose parameters are too long for an address."""
        answer = await self._made(
            method, lambda: self.client.api_call(method, data=form), is_repeatable=is_repeatable
        )
        return answer.data

    async def _made(self, key: str, send: Any, *, is_repeatable: bool) -> Answer:
        self._check_penalty(key)
        try:
            answer: AsyncSlackResponse = await send()
        except SlackApiError as error:
            raise self._meaning(key, error, is_repeatable=is_repeatable) from None
        except (aiohttp.ClientError, TimeoutError, OSError, RecursionError, *MALFORMED) as error:
            # Without its cause, which may hold the request with the token in it.
            raise failure(error, is_repeatable=is_repeatable) from None
        return Answer(answer.data if isinstance(answer.data, dict) else {}, answer.headers)

    def _meaning(self, key: str, error: SlackApiError, *, is_repeatable: bool) -> GatewayError:
        code, headers, told = _read(error)
        name = str(told.get("error") or "")
        if code == HTTPStatus.TOO_MANY_REQUESTS or name in _NOT_NOW:
            seconds = _penalty(headers, name)
            self._note_penalty(key, seconds)
            return RetryLater(f"Slack asks to wait ({name or code})", seconds)
        if code >= HTTPStatus.INTERNAL_SERVER_ERROR or name in _IN_DOUBT:
            return _in_doubt(f"Slack is in trouble ({name or code})", is_repeatable=is_repeatable)
        if name in DEAD_TOKEN:
            return AccountRejected(DEAD_TOKEN[name])
        if not name and code == HTTPStatus.OK:
            return _in_doubt("the answer cannot be read", is_repeatable=is_repeatable)
        if not name:
            return SaidNo(f"HTTP {code}")
        return SaidNo(name, str(told.get("needed") or ""))

    def _note_penalty(self, key: str, seconds: float) -> None:
        now = self._clock.monotonic()
        lasting = {name: until for name, until in self._penalties.items() if until > now}
        self._penalties = {**lasting, key: now + seconds}

    def _check_penalty(self, key: str) -> None:
        left = self._penalties.get(key, 0.0) - self._clock.monotonic()
        if key in self._penalties and left > 0:
            raise RetryLater("Slack asks to wait", left)


def _read(error: SlackApiError) -> tuple[int, Mapping[str, str], Mapping[str, Any]]:
    """Return what a refusal consists of; the SDK gives one that is no JSON in another form."""
    answer = error.response
    if isinstance(answer, AsyncSlackResponse):
        told = answer.data if isinstance(answer.data, dict) else {}
        return answer.status_code, answer.headers, told
    return answer.status, answer.headers, {}


def _limited(method: str, parameters: Mapping[str, Any]) -> str:
    """Name what a limit holds for: a method, and for posts a conversation."""
    return f"post in {parameters.get('channel')}" if method in _POSTS else method


def failure(error: Exception, *, is_repeatable: bool) -> GatewayError:
    """Tell what a request that got no answer means: whether it can have arrived."""
    if isinstance(
        error,
        aiohttp.ClientConnectorError
        | aiohttp.ClientHttpProxyError
        | aiohttp.ConnectionTimeoutError,
    ):
        return RetryLater(f"Slack cannot be reached ({type(error).__name__})", SOON)
    return _in_doubt(f"no answer from Slack ({type(error).__name__})", is_repeatable=is_repeatable)


def unreadable() -> RetryLater:
    """Tell what an answer of another form than documented means where nothing is changed."""
    return RetryLater("Slack's answer cannot be read", SOON)


def _in_doubt(words: str, *, is_repeatable: bool) -> GatewayError:
    return RetryLater(words, SOON) if is_repeatable else SendUncertain(words)


def _penalty(headers: Mapping[str, str], name: str) -> float:
    lowered = {key.lower(): value for key, value in headers.items()}
    untold = SOON if name in {"service_unavailable", "request_timeout"} else UNTOLD_PENALTY
    return told_to_wait(lowered.get("retry-after", ""), untold)


def told_to_wait(told: str, untold: float) -> float:
    """Read how many seconds Slack asks to wait."""
    try:
        seconds = float(told)
    except ValueError:
        return untold
    return believed(seconds) if math.isfinite(seconds) and seconds >= 0 else untold
