"""Who we are and who the others are, as Slack tells it."""

from collections import OrderedDict
from collections.abc import Mapping

import structlog

from adapters.slack.api import Api, SaidNo, unreadable
from adapters.slack.inbound import Me
from adapters.slack.settings import SlackSettings
from gateway.chat_text import clean
from gateway.clock import Clock
from gateway.errors import AccountRejected, GatewayError, reading

log = structlog.get_logger()

_NAMES_REMEMBERED = 2000
_WAIT_FOR_A_NAME = 1.0
AGENT_SCOPE = "assistant:write"
"""Slack adds it to every app that is declared an agent, and to no other."""


class Identity:
    """The app in its workspace; asked for once and then known."""

    def __init__(self, api: Api, settings: SlackSettings) -> None:
        self._api = api
        self._kind = settings.app_kind
        self.known: Me | None = None
        self.scopes: frozenset[str] | None = None
        """Those of the token; None where the server does not tell."""

    async def me(self) -> Me:
        return self.known or await self.ask()

    async def ask(self) -> Me:
        """Ask anew.

        Raises:
            AccountRejected: the token is none, or none of a bot's.
            RetryLater: Slack cannot be reached.
        """
        try:
            answer = await self._api.ask("auth.test")
        except SaidNo as refusal:
            raise AccountRejected(
                f"no app is known by this token ({refusal}); look at bot_token and api_base"
            ) from refusal
        self.scopes = _scopes(answer.headers)
        told = answer.data
        with reading(unreadable()):
            self.known = Me(
                team=told["team_id"],
                user=told["user_id"],
                bot=told.get("bot_id") or "",
                name=clean(told.get("user") or "bot"),
                is_agent=self._is_agent(),
            )
            self.workspace = clean(told.get("team") or told["team_id"])
        return self.known

    def _is_agent(self) -> bool:
        if self._kind == "auto":
            return self.scopes is not None and AGENT_SCOPE in self.scopes
        return self._kind == "agent"


def _scopes(headers: Mapping[str, str]) -> frozenset[str] | None:
    told = next((v for k, v in headers.items() if k.lower() == "x-oauth-scopes"), None)
    if told is None:
        return None
    return frozenset(scope.strip() for scope in told.split(",") if scope.strip())


class Names:
    """People's names, for eyes only: asked for once, and not waited for long."""

    def __init__(self, api: Api, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._names: OrderedDict[str, str] = OrderedDict()
        self._may_ask = True

    def note(self, user: str, name: str) -> None:
        self._names[user] = name
        self._names.move_to_end(user)
        if len(self._names) > _NAMES_REMEMBERED:
            self._names.popitem(last=False)

    async def name(self, user: str) -> str:
        """Return a name, or the id where none can be had quickly."""
        if user not in self._names and self._may_ask:
            try:
                async with self._clock.timeout(_WAIT_FOR_A_NAME):
                    answer = await self._api.call("users.info", user=user)
                self.note(user, _name(answer["user"]) or user)
            except SaidNo as refusal:
                self._note_refusal(user, refusal)
            except (GatewayError, TimeoutError):
                return user
        return self._names.get(user, user)

    def _note_refusal(self, user: str, refusal: SaidNo) -> None:
        self.note(user, user)
        if refusal.error == "missing_scope":
            self._may_ask = False
            log.warning("names.not_known", reason=str(refusal))


def _name(user: Mapping[str, object]) -> str:
    profile = user.get("profile")
    told = profile if isinstance(profile, dict) else {}
    name = told.get("display_name") or told.get("real_name") or user.get("real_name")
    return clean(str(name or user.get("name") or ""))
