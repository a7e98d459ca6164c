"""Receiving for one app: who we are, how Slack reaches us, and the errands that causes."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping

import aiohttp
import structlog
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.socket_mode.request import SocketModeRequest

from adapters.slack.api import Api, SaidNo, unreadable
from adapters.slack.catching_up import CatchingUp
from adapters.slack.errands import Errands
from adapters.slack.identity import Identity, Names
from adapters.slack.inbound import Me, Reader
from adapters.slack.intake import Intake
from adapters.slack.ledger import Ledger
from adapters.slack.patience import Patience
from adapters.slack.settings import SlackSettings
from adapters.slack.transport import QUIET, Line
from gateway.contracts.adapter import AdapterKit, Deliver
from gateway.errors import AccountRejected, RetryLater, reading
from gateway.ids import AccountName, MessageId

log = structlog.get_logger()

_HELLO_WITHIN = 10.0
_SAVE_EVERY = 3.0
_ASKED_EVERY = 60.0
_LAST_ACKNOWLEDGEMENTS = 2.0
_RETRY = "x-slack-retry-num"
_LIVED_WELL = 30.0
"""A connection that has lasted so long was a good one: the next may be tried at once."""


class Receiver:
    """Receives until cancelled; its connections end with it."""

    def __init__(
        self,
        account: AccountName,
        settings: SlackSettings,
        api: Api,
        identity: Identity,
        names: Names,
        ledger: Ledger,
        growing: Mapping[MessageId, object],
        kit: AdapterKit,
    ) -> None:
        self._account = account
        self._settings = settings
        self._api = api
        self._identity = identity
        self._names = names
        self._ledger = ledger
        self._growing = growing
        self._kit = kit

    async def run(self, deliver: Deliver) -> None:
        me = await self._identity.ask()
        await self._ledger.load()
        try:
            async with asyncio.TaskGroup() as tasks:
                await self._receive(me, deliver, tasks)
        except ExceptionGroup as group:
            raise _first(group) from group
        finally:
            await self._ledger.save()

    async def _receive(self, me: Me, deliver: Deliver, tasks: asyncio.TaskGroup) -> None:
        settings, kit, ledger = self._settings, self._kit, self._ledger
        errands = Errands(settings, me, self._api, kit, self._names, self._growing, tasks)
        reader = Reader(
            self._account,
            me,
            frozenset(command.name for command in kit.commands),
            reply_in_thread=settings.reply_in_thread,
            follow_threads=settings.follow_threads,
            is_followed=ledger.is_followed,
        )
        intake = Intake(reader, deliver, kit, ledger, self._names, errands)
        catching_up = CatchingUp(self._api, intake, ledger, kit.clock, settings.catch_up)
        tasks.create_task(self._keep_ledger())
        intake.first, intake.catch_up = catching_up.first, catching_up.want
        tasks.create_task(catching_up.run())
        app = bolt_app(me, settings, self._api, intake)
        if settings.mode == "http":
            await self._listen(app, catching_up.want)
        else:
            socket = Socket(settings, self._api, kit, tasks, catching_up.want)
            await socket.run(lambda request: _answer(app, request))

    async def _keep_ledger(self) -> None:
        while True:
            await self._kit.clock.sleep(_SAVE_EVERY)
            await self._ledger.save()

    async def _listen(self, app: AsyncApp, catch_up: Callable[[], None]) -> None:
        from adapters.slack.webhook import EventServer  # noqa: PLC0415 - an app with a socket starts faster without a web server

        secret = self._settings.signing_secret
        server = EventServer(
            self._account,
            self._settings.http,
            secret.get_secret_value() if secret else "",
            self._kit.clock,
        )

        async def take(body: str, headers: dict[str, str]) -> BoltResponse:
            self._kit.health.alive()
            return await app.async_dispatch(AsyncBoltRequest(body=body, headers={**headers}))

        catch_up()
        async with server.serving(take):
            while True:
                self._kit.health.alive()
                await self._kit.clock.sleep(_ASKED_EVERY)
                await self._ask_who_we_are()

    async def _ask_who_we_are(self) -> None:
        """Have Slack say that it still knows the app: whoever is only told may be told nothing."""
        patience = Patience(self._kit)
        while True:
            try:
                await self._identity.ask()
            except RetryLater as trouble:
                await patience.wait(str(trouble), at_least=trouble.after)
            else:
                return


def bolt_app(me: Me, settings: SlackSettings, api: Api, intake: Intake) -> AsyncApp:
    """Make an app whose one middleware has everything kept before Bolt acknowledges it."""

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=None,
            team_id=me.team,
            bot_user_id=me.user,
            bot_id=me.bot,
            bot_token=settings.bot_token.get_secret_value(),
        )

    app = AsyncApp(
        logger=QUIET,
        name="parley",
        client=api.client,
        authorize=authorize,
        # It was verified before anything was parsed; what comes by a socket is not signed.
        request_verification_enabled=False,
        ignoring_self_events_enabled=False,
        ssl_check_enabled=False,
    )

    async def keep(req: AsyncBoltRequest) -> BoltResponse:
        try:
            answer = await intake.take(req.body, is_again=_is_again(req))
        except RetryLater as trouble:
            log.warning("event.not_kept", after=trouble.after)
            return BoltResponse(status=503, headers={"Retry-After": str(int(trouble.after) + 1)})
        except Exception:
            log.exception("event.broken")
            return BoltResponse(status=500)
        return BoltResponse(status=200, body=answer or "")

    app.middleware(keep)
    return app


def _is_again(req: AsyncBoltRequest) -> bool:
    """Say whether Slack has tried in vain before; on a socket the first try is numbered 0."""
    return req.headers.get(_RETRY, ["0"])[0] != "0"


async def _answer(app: AsyncApp, request: SocketModeRequest) -> dict[str, object] | None:
    try:
        response = await run_async_bolt_app(app, request)
    except (TypeError, ValueError, AttributeError) as error:
        # Bolt itself could not read it, and never will.
        log.warning("event.skipped", kind=request.type, error=type(error).__name__)
        return {}
    if response.status != 200:  # noqa: PLR2004 - Bolt speaks of HTTP on sockets, too
        return None
    return json.loads(response.body) if response.body else {}


class Socket:
    """One connection after another, so that there always is one."""

    def __init__(
        self,
        settings: SlackSettings,
        api: Api,
        kit: AdapterKit,
        tasks: asyncio.TaskGroup,
        catch_up: Callable[[], None],
    ) -> None:
        token = settings.app_token
        self._token = token.get_secret_value() if token else ""
        self._api = api
        self._clock = kit.clock
        self._health = kit.health
        self._tasks = tasks
        self._catch_up = catch_up
        self._patience = Patience(kit)
        self._lines: list[Line] = []

    async def run(
        self, handle: Callable[[SocketModeRequest], Awaitable[dict[str, object] | None]]
    ) -> None:
        """Receive until cancelled.

        Raises:
            AccountRejected: Slack gives no connection for this token.
            RetryLater: Slack could not be reached from the start.
        """
        self._handle = handle
        try:
            self._catch_up()
            line = await self._connect()
            while True:
                line = await self._follow(line)
        finally:
            for one in tuple(self._lines):
                await one.end()

    async def _follow(self, line: Line) -> Line:
        """Wait until a line is over, and return the next."""
        began = self._clock.monotonic()
        await line.is_over.wait()
        if self._clock.monotonic() - began > _LIVED_WELL:
            self._patience.rewarded()
        if line.is_lost:
            await self._patience.wait("the socket to Slack was lost; connecting anew")
            await self._leave(line)
            self._catch_up()
        following = await self._reconnect()
        if not line.is_lost:
            # Only now, as there must be no moment without a line.
            self._tasks.create_task(self._leave(line))
        return following

    async def _reconnect(self) -> Line:
        while True:
            try:
                return await self._connect()
            except RetryLater as trouble:
                self._catch_up()
                await self._patience.wait(str(trouble), at_least=trouble.after)

    async def _leave(self, line: Line) -> None:
        await line.end(grace=_LAST_ACKNOWLEDGEMENTS)
        if line in self._lines:
            self._lines.remove(line)

    async def _connect(self) -> Line:
        address = await self._address()
        line = Line(
            address,
            self._api.client,
            self._tasks,
            self._clock,
            self._health.alive,
        )
        line.handle_with(self._handle)
        self._lines.append(line)
        try:
            await line.connect()
            async with self._clock.timeout(_HELLO_WITHIN):
                await line.is_ready.wait()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            await self._leave(line)
            # Without its cause, which may name the address with a ticket in it.
            words = f"Slack cannot be reached by socket ({type(error).__name__})"
            raise RetryLater(words, 1.0) from None
        self._health.alive()
        return line

    async def _address(self) -> str:
        try:
            answer = await self._api.call("apps.connections.open", app_token=self._token)
        except SaidNo as refusal:
            raise AccountRejected(
                f"Slack opens no socket for app_token ({refusal}); it needs the scope "
                "connections:write, and Socket Mode must be on"
            ) from refusal
        with reading(unreadable()):
            return str(answer["url"])


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the error that ended everything else."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
