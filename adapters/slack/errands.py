"""What receiving causes besides messages: buttons settled, words aside, Home and prompts."""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from contextlib import suppress
from typing import Any

import structlog

from adapters.slack.api import Api, SaidNo, unreadable
from adapters.slack.contents import decode_reference, read_file
from adapters.slack.home import PROMPTS, home_view
from adapters.slack.identity import Names
from adapters.slack.inbound import Me
from adapters.slack.markdown import escape
from adapters.slack.outbound import settled_blocks, thread_of
from adapters.slack.settings import SlackSettings
from gateway.contracts.adapter import AdapterKit
from gateway.errors import GatewayError, RetryLater, reading
from gateway.ids import MessageId
from gateway.messages import Address, Attachment, Message

log = structlog.get_logger()

Json = Mapping[str, Any]

_LOOKS_FOR_A_FILE = 3
_LOOK_AGAIN = 0.4
_WAIT_FOR_A_FILE = 1.0
_WAIT_FOR_A_PLACE = 0.5
_SETTLED_TEXT = 3000
_TRIES = 3


class Errands:
    """Runs beside receiving; none of it is waited for, and none of it can break it."""

    def __init__(
        self,
        settings: SlackSettings,
        me: Me,
        api: Api,
        kit: AdapterKit,
        names: Names,
        growing: Mapping[MessageId, object],
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._settings = settings
        self._me = me
        self._api = api
        self._kit = kit
        self._names = names
        self._growing = growing
        self._tasks = tasks

    def welcome(self, event: Json) -> None:
        """Show somebody who opens the app what it is."""
        if event["type"] == "assistant_thread_started":
            thread = event["assistant_thread"]
            self._run(self._suggest(thread["channel_id"], thread_ts=thread["thread_ts"]))
        elif event.get("tab") == "home":
            view = home_view(self._me.name, self._settings.command, self._kit.commands)
            self._run(self._call("views.publish", user_id=event["user"], view=view))
        elif event.get("tab") == "messages" and self._me.is_agent:
            self._run(self._suggest(event["channel"]))

    async def _suggest(self, channel: str, **where: str) -> None:
        await self._call(
            "assistant.threads.setSuggestedPrompts", channel_id=channel, prompts=PROMPTS, **where
        )

    def tell(self, to: Address, words: str) -> None:
        """Say something that only one person sees."""
        thread = thread_of(to.place)
        where = {"thread_ts": thread} if thread else {}
        user = to.external_user.partition(":")[2]
        self._run(
            self._call(
                "chat.postEphemeral",
                channel=to.place.conversation,
                user=user,
                text=escape(words),
                **where,
            )
        )

    def settle(self, press: Json, inbound: Message) -> None:
        """Show on a pressed message what was chosen, unless it still grows."""
        pressed = inbound.pressed_on
        if pressed is not None and pressed not in self._growing:
            self._run(self._settle(press, inbound))

    async def _settle(self, press: Json, inbound: Message) -> None:
        where, label = press["container"], press["actions"][0].get("text", {}).get("text", "")
        presser = await self._names.name(inbound.address.external_user.partition(":")[2])
        target = {"channel": where["channel_id"], "ts": where["message_ts"]}
        message = press.get("message") or {}
        shown = settled_blocks(message, label, presser)
        try:
            await self._patiently("chat.update", **target, **shown)
        except SaidNo:
            text = (message.get("text") or label)[:_SETTLED_TEXT]
            short = settled_blocks({"text": text}, label, presser)
            with suppress(SaidNo):
                await self._patiently("chat.update", **target, **short)

    async def may_write_in(self, channel: str) -> bool:
        """Say whether the bot is in a conversation; yes, where that cannot be known quickly.

        People may use a command anywhere, also where nothing that the bot posts would be taken:
        https://docs.slack.dev/interactivity/implementing-slash-commands
        """
        try:
            async with self._kit.clock.timeout(_WAIT_FOR_A_PLACE):
                told = await self._api.call("conversations.info", channel=channel)
            with reading(unreadable()):
                return told["channel"].get("is_member") is not False
        except SaidNo as refusal:
            return refusal.error != "channel_not_found"
        except (GatewayError, TimeoutError):
            return True

    async def message_of(self, file: str, channel: str) -> Json | None:
        """Find the message with which a file was shared; None when it is none or not ours.

        Raises:
            RetryLater: it cannot be known now.
        """
        for _ in range(_LOOKS_FOR_A_FILE):
            share = await self._share(file, channel)
            if share is not None:
                return await self._message(channel, share)
            await self._kit.clock.sleep(_LOOK_AGAIN)
        return None

    async def _message(self, channel: str, share: Json) -> Json | None:
        ts, thread = share["ts"], share.get("thread_ts")
        where = {"channel": channel, "latest": ts, "inclusive": True}
        if thread is None:
            told = await self._api.call("conversations.history", limit=1, **where)
        else:
            told = await self._api.call("conversations.replies", ts=thread, oldest=ts, **where)
        found: list[Json] = [one for one in told["messages"] if one["ts"] == ts]
        return found[0] if found else None

    async def _share(self, file: str, channel: str) -> Json | None:
        try:
            told = await self._api.call("files.info", file=file)
        except SaidNo as refusal:
            log.warning("file.not_known", reason=refusal.error)
            return None
        return newest_share(told["file"], channel)

    async def told_of(self, files: Iterable[Attachment]) -> tuple[Attachment, ...]:
        """Ask about the files of which a message tells only the id."""
        return tuple([await self._told_of(file) for file in files])

    async def _told_of(self, file: Attachment) -> Attachment:
        name, address = decode_reference(file.reference)
        if address:
            return file
        try:
            async with self._kit.clock.timeout(_WAIT_FOR_A_FILE):
                told = await self._api.call("files.info", file=name)
        except (GatewayError, TimeoutError) as error:
            log.warning("file.not_known", reason=str(error) or type(error).__name__)
            return file
        return read_file(told["file"])

    async def _call(self, method: str, **parameters: Any) -> None:
        try:
            await self._patiently(method, **parameters)
        except SaidNo as refusal:
            log.info("errand.refused", method=method, reason=refusal.error)

    async def _patiently(self, method: str, **parameters: Any) -> None:
        for left in reversed(range(_TRIES)):
            try:
                await self._api.call(method, **parameters)
            except RetryLater as pause:
                if not left:
                    log.info("errand.given_up", method=method)
                    return
                await self._kit.clock.sleep(pause.after)
            else:
                return

    def _run(self, errand: Coroutine[Any, Any, None]) -> None:
        self._tasks.create_task(self._guarded(errand))

    @staticmethod
    async def _guarded(errand: Coroutine[Any, Any, None]) -> None:
        try:
            await errand
        except GatewayError as error:
            log.info("errand.failed", reason=str(error))
        except Exception:
            log.exception("errand.broken")


def newest_share(file: Json, channel: str) -> Json | None:
    """Tell of the newest message that shows a file in a channel."""
    shares = file.get("shares") or {}
    found: list[Json] = [
        share
        for kind in ("private", "public")
        for share in (shares.get(kind) or {}).get(channel, ())
    ]
    return max(found, key=lambda share: str(share["ts"]), default=None)
