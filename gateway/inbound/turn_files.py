"""A turn's files: those that came with its message, and those made for its reply."""

import asyncio
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path

import structlog

from gateway.clock import Clock
from gateway.contracts.adapter import Adapter, FetchesFiles
from gateway.contracts.inbox import Kept
from gateway.contracts.privacy import Leftovers
from gateway.contracts.stores import Turn
from gateway.errors import GatewayError, Refused, RetryLater
from gateway.events import NoticeAdded
from gateway.ids import AccountName, AgentId, PersonId, TurnId
from gateway.inbound.content import compose
from gateway.messages import Attachment
from gateway.replies.reply import Reply
from gateway.session_key import build_group_session_key
from gateway.transcript import Block, Content, FileBlock, TextBlock
from gateway.workspace import (
    QUOTA,
    erase_group_file,
    erase_user_workspaces,
    move_group_workspace,
    outgoing_dir,
    save_asset,
    setup_group_workspace,
    setup_user_workspace,
    share_workspace,
    user_assets_dir,
)

log = structlog.get_logger()

_WORTH_WAITING = 600.0
"""Seconds for which a message waits for its files rather than do without them."""


class TurnFiles:
    """Turns a kept message into content; a file that cannot be had becomes words."""

    def __init__(
        self,
        adapters: Mapping[AccountName, Adapter],
        agents: Collection[AgentId],
        data_dir: Path,
        clock: Clock,
    ) -> None:
        self._adapters = adapters
        self._agents = agents
        self._data_dir = data_dir
        self._clock = clock

    async def receive(self, kept: Kept, reply: Reply) -> Content:
        """Fetch what came with the message, and tell its sender what could not be had.

        Raises:
            RetryLater: the platform is out of reach, and the message is not old yet.
        """
        blocks: list[Block] = []
        for attachment in kept.message.attachments:
            try:
                blocks.append(await self._receive_one(kept, attachment))
            except GatewayError as error:
                is_new = self._clock.now() - kept.kept_at < _WORTH_WAITING
                if isinstance(error, RetryLater) and is_new:
                    raise
                reason = str(error)
                log.warning("attachment.refused", kind=attachment.kind.value)
                reply.show(NoticeAdded(words=f"I could not take {attachment.name}: {reason}"))
                blocks.append(TextBlock(f"[{attachment.name} could not be received: {reason}]"))
        return compose(kept.message, tuple(blocks))

    async def discard(self, turn: Turn) -> None:
        """Remove what was copied for sending: the turn is over."""
        copies = outgoing_dir(self._data_dir, turn.id)
        if copies.exists():
            await asyncio.to_thread(shutil.rmtree, copies, ignore_errors=True)

    async def discard_left(self, unfinished: Collection[TurnId]) -> None:
        """Remove what crashes have left of turns that nobody will go on with."""
        await asyncio.to_thread(self._discard_left, unfinished)

    def _discard_left(self, unfinished: Collection[TurnId]) -> None:
        for copies in (self._data_dir / "outgoing").glob("*/"):
            if copies.name not in unfinished:
                shutil.rmtree(copies, ignore_errors=True)

    async def move_place(self, old: str, new: str) -> None:
        """Let the files of a shared place go on under its new `channel_context`."""
        for agent in self._agents:
            await asyncio.to_thread(
                move_group_workspace,
                agent,
                self._data_dir,
                build_group_session_key(agent, old).encode(),
                build_group_session_key(agent, new).encode(),
            )

    async def share(self, source: PersonId, target: PersonId) -> None:
        """Give a person copies of what another has, as both are one now."""
        for agent in self._agents:
            await asyncio.to_thread(share_workspace, agent, self._data_dir, source, target)

    async def erase(self, leftovers: Leftovers) -> None:
        """Remove what belongs to erased talk."""
        await asyncio.to_thread(self._erase, leftovers)

    def _erase(self, leftovers: Leftovers) -> None:
        for person in leftovers.persons:
            erase_user_workspaces(self._data_dir, person)
        for agent, group, path in leftovers.shared:
            erase_group_file(agent, self._data_dir, group, path)

    async def _receive_one(self, kept: Kept, attachment: Attachment) -> Block:
        adapter = self._adapters.get(kept.message.address.account)
        if not isinstance(adapter, FetchesFiles):
            raise Refused("files cannot be received here.")
        data = await adapter.fetch(attachment, min(adapter.limits.download_bytes, QUOTA))
        path = await asyncio.to_thread(self._save, kept, attachment.name, data)
        return FileBlock(path=path, name=attachment.name, mime=attachment.mime, size=len(data))

    def _save(self, kept: Kept, name: str, data: bytes) -> str:
        if kept.owner is None:
            root = setup_group_workspace(kept.agent, self._data_dir, kept.session_key)
        else:
            root = setup_user_workspace(kept.agent, self._data_dir, kept.owner)
        saved = save_asset(user_assets_dir(root), name, data, at=self._clock.now())
        return str(saved.relative_to(root))
