"""Files both ways. What people send is fetched from Discord's own hosts and no others."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any, BinaryIO

import aiohttp
import yarl

from adapters.discord.contents import decode_reference
from adapters.discord.inbound import message_id_of
from adapters.discord.outbound import LIMITS, file_name, files_body
from adapters.discord.transport import Rest, SaidNo, failure
from gateway.errors import Refused, RetryLater, SendRefused
from gateway.ids import MessageId
from gateway.messages import Attachment, OutgoingFile

_MIB = 1024 * 1024
_TOGETHER_AT_MOST = 24 * _MIB
"""A request may have 25 MiB: https://discord.com/developers/docs/reference#uploading-files"""
_REDIRECTS_AT_MOST = 5
_FETCHED_WITHIN = aiohttp.ClientTimeout(total=120.0, connect=10.0, sock_read=30.0)
_GONE = {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE}


class _Expired(Exception):
    """The address of a file is no longer good."""


class Files:
    """Sends and fetches one account's files."""

    def __init__(self, rest: Rest, hosts: Sequence[str], *, previews: bool) -> None:
        self._rest = rest
        self._previews = previews
        self._hosts = frozenset(hosts)

    async def send(
        self, channel: str, files: Sequence[OutgoingFile], key: str
    ) -> Sequence[MessageId]:
        """Send files as one message, whose id they share; as more where they are too much."""
        sent: list[MessageId] = []
        for number, some in enumerate(_bundles(files)):
            part = f"{key}:{number}" if number else key
            sent += [await self._send(channel, some, part)] * len(some)
        return sent

    async def _send(self, channel: str, files: Sequence[OutgoingFile], key: str) -> MessageId:
        body = files_body(files, key, previews=self._previews)
        with ExitStack() as opened:
            contents = [_content(file, opened) for file in files]

            def form() -> aiohttp.FormData:
                data = aiohttp.FormData()
                data.add_field("payload_json", json.dumps(body))
                for number, (file, content) in enumerate(zip(files, contents, strict=True)):
                    data.add_field(
                        f"files[{number}]",
                        content,
                        filename=file_name(file.name, number),
                        content_type=file.mime,
                    )
                return data

            sent = await self._rest.call(
                "POST",
                "/channels/{channel}/messages",
                form=form,
                is_repeatable=False,
                channel=channel,
            )
        return message_id_of(channel, sent)

    async def fetch(self, attachment: Attachment, limit: int) -> bytes:
        channel, message, number, url = decode_reference(attachment.reference)
        if attachment.size is not None and attachment.size > limit:
            raise Refused(f"it is larger than {limit / 1_000_000:.0f} MB.")
        try:
            return await self._download(url, limit)
        except _Expired:
            fresh = await self._fresh_address(channel, message, number)
        try:
            return await self._download(fresh, limit)
        except _Expired as expired:
            raise Refused("it is no longer there.") from expired

    async def _fresh_address(self, channel: str, message: str, number: str) -> str:
        """Ask for the message again: Discord signs the addresses of its files anew."""
        try:
            told = await self._rest.call(
                "GET", "/channels/{channel}/messages/{message}", channel=channel, message=message
            )
        except SaidNo as refusal:
            raise Refused("it is no longer there.") from refusal
        carriers = [told, *(one["message"] for one in told.get("message_snapshots") or ())]
        for carrier in carriers:
            for file in carrier.get("attachments") or ():
                if file["id"] == number:
                    return str(file["url"])
        raise Refused("it is no longer there.")

    async def _download(self, url: str, limit: int) -> bytes:
        address = self._checked(url)
        try:
            for _ in range(_REDIRECTS_AT_MOST + 1):
                async with self._rest.session.get(
                    address, allow_redirects=False, timeout=_FETCHED_WITHIN
                ) as answer:
                    if answer.status == HTTPStatus.OK:
                        return await _read(answer, limit)
                    if answer.status in _GONE:
                        raise _Expired
                    address = self._next(address, answer)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise failure(error, is_repeatable=True) from None
        raise Refused("its address leads nowhere.")

    def _next(self, address: yarl.URL, answer: aiohttp.ClientResponse) -> yarl.URL:
        where = answer.headers.get("Location")
        if where is None or answer.status not in range(300, 400):
            raise RetryLater(f"Discord's files cannot be had ({answer.status})", 1.0)
        return self._checked(str(address.join(yarl.URL(where))))

    def _checked(self, url: str) -> yarl.URL:
        """Return an address of one of Discord's hosts; no other is ever contacted."""
        try:
            address = yarl.URL(url)
        except ValueError as error:
            raise Refused("its address cannot be read.") from error
        host = address.host or ""
        is_safe = address.scheme == "https" or (address.scheme == "http" and _is_here(host))
        if host not in self._hosts or not is_safe or address.user is not None:
            raise Refused("it is not on one of Discord's own hosts.")
        return address


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bundles(files: Sequence[OutgoingFile]) -> Iterator[Sequence[OutgoingFile]]:
    """Split files so that no request is larger than Discord takes."""
    some: list[OutgoingFile] = []
    room = _TOGETHER_AT_MOST
    for file in files:
        size = _size(file)
        if size > room:
            yield some
            some, room = [], _TOGETHER_AT_MOST
        some.append(file)
        room -= size
    yield some


def _size(file: OutgoingFile) -> int:
    try:
        size = file.path.stat().st_size
    except OSError as error:
        raise SendRefused(f"{file.name} is no longer there") from error
    if size > LIMITS.file_bytes:
        raise SendRefused(
            f"{file.name} has {size / _MIB:.1f} MiB; Discord takes at most "
            f"{LIMITS.file_bytes // _MIB} MiB from a bot"
        )
    return size


def _content(file: OutgoingFile, opened: ExitStack) -> BinaryIO:
    try:
        return opened.enter_context(file.path.open("rb"))
    except OSError as error:
        raise SendRefused(f"{file.name} is no longer there") from error


async def _read(answer: aiohttp.ClientResponse, limit: int) -> bytes:
    told: Any = answer.content_length
    pieces: list[bytes] = []
    room = limit
    if told is not None and told > limit:
        room = -1
    async for piece in answer.content.iter_any():
        room -= len(piece)
        if room < 0:
            raise Refused(f"it is larger than {limit / 1_000_000:.0f} MB.")
        pieces.append(piece)
    return b"".join(pieces)
