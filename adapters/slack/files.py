"""Files both ways. What is fetched comes from Slack's own hosts, and only they see the token."""

import json
from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

import aiohttp

from adapters.slack.api import UNTOLD_PENALTY, Api, SaidNo, failure, told_to_wait, unreadable
from adapters.slack.contents import decode_reference
from adapters.slack.errands import newest_share
from adapters.slack.inbound import encode_message_id
from adapters.slack.outbound import comment, thread_of
from adapters.slack.settings import SlackSettings
from gateway.clock import Clock
from gateway.errors import Refused, RetryLater, SendRefused, reading
from gateway.ids import MessageId
from gateway.messages import Attachment, Limits, OutgoingFile, Place

_OWN_HOSTS = ("slack.com", "slack-files.com", "slack-edge.com")
_REDIRECTS = 5
_ANSWER_SECONDS = 30.0
_SLOWEST_BYTES_PER_SECOND = 100_000
_TO_SHOW_A_MESSAGE = (0.3, 0.7, 1.5)
"""Pauses before each question where the files of a finished upload are shown."""
_MISSING_SCOPE = "Slack gave a sign-in page instead of it: the app lacks the scope files:read"


class Files:
    """Sends and fetches one account's files."""

    def __init__(self, api: Api, settings: SlackSettings, limits: Limits, clock: Clock) -> None:
        self._api = api
        self._limits = limits
        self._clock = clock
        self._token = settings.bot_token.get_secret_value()
        self._base = urlsplit(settings.api_base)

    async def send(self, place: Place, files: Sequence[OutgoingFile]) -> Sequence[MessageId]:
        """Upload files, then show them together as one message."""
        uploads = [await self._upload(file) for file in files]
        where = {"channel_id": place.conversation}
        thread, words = thread_of(place), comment(files)
        if thread:
            where["thread_ts"] = thread
        if words:
            where["initial_comment"] = words
        await self._api.post_form(
            "files.completeUploadExternal",
            {"files": json.dumps(uploads), **where},
            is_repeatable=False,
        )
        sent = await self._message(place, uploads[0]["id"])
        return [sent] * len(files)

    async def _upload(self, file: OutgoingFile) -> dict[str, str]:
        """Bring one file to Slack, where nobody sees it yet."""
        size = self._size(file)
        told = await self._api.call("files.getUploadURLExternal", filename=file.name, length=size)
        with reading(unreadable()):
            address, number = str(told["upload_url"]), str(told["file_id"])
        seconds = _ANSWER_SECONDS + size / _SLOWEST_BYTES_PER_SECOND
        try:
            with file.path.open("rb") as content:
                async with self._api.connections.session.post(
                    address,
                    data=content,
                    headers={"Content-Type": "application/octet-stream"},
                    timeout=aiohttp.ClientTimeout(total=seconds, connect=10.0),
                    allow_redirects=False,
                ) as response:
                    await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise failure(error, is_repeatable=True) from None
        _check_trouble(response)
        if response.status != HTTPStatus.OK:
            raise SendRefused(f"Slack refused {file.name} (HTTP {response.status})")
        return {"id": number, "title": file.name}

    def _size(self, file: OutgoingFile) -> int:
        try:
            size = file.path.stat().st_size
        except OSError as error:
            raise SendRefused(f"{file.name} is no longer there") from error
        if size > self._limits.file_bytes:
            raise SendRefused(
                f"{file.name} has {_megabytes(size)} MB; I send at most "
                f"{_megabytes(self._limits.file_bytes)} MB on Slack"
            )
        if size == 0:
            raise SendRefused(f"{file.name} is empty; Slack takes no empty files")
        return size

    async def _message(self, place: Place, file: str) -> MessageId:
        """Name the message that shows an upload; Slack makes it a little later."""
        for pause in _TO_SHOW_A_MESSAGE:
            await self._clock.sleep(pause)
            try:
                told = await self._api.call("files.info", file=file)
            except (SaidNo, RetryLater):
                break
            share = newest_share(told["file"], place.conversation)
            if share is not None:
                return encode_message_id(place.conversation, share["ts"])
        return encode_message_id(place.conversation, "file", file)

    async def fetch(self, attachment: Attachment, limit: int) -> bytes:
        if attachment.size is not None and attachment.size > limit:
            raise _too_large(limit)
        file, address = decode_reference(attachment.reference)
        if not address:
            address = await self._address(file, limit)
        return await self._download(address, limit, attachment.mime)

    async def _address(self, file: str, limit: int) -> str:
        try:
            told = (await self._api.call("files.info", file=file))["file"]
        except SaidNo as refusal:
            raise Refused(str(refusal)) from refusal
        if (told.get("size") or 0) > limit:
            raise _too_large(limit)
        address = told.get("url_private_download") or told.get("url_private")
        if not address:
            raise Refused("Slack no longer has it")
        return str(address)

    async def _download(self, address: str, limit: int, mime: str) -> bytes:
        for _ in range(_REDIRECTS):
            self._check_host(address)
            answer = await self._get(address, limit, mime)
            if isinstance(answer, bytes):
                return answer
            address = urljoin(address, answer)
        raise Refused("Slack sends from one address to the next and gives no file")

    def _check_host(self, address: str) -> None:
        parts = urlsplit(address)
        if (parts.scheme, parts.netloc) == (self._base.scheme, self._base.netloc):
            return
        host = parts.hostname or ""
        is_own = any(host == own or host.endswith(f".{own}") for own in _OWN_HOSTS)
        if parts.scheme != "https" or not is_own:
            raise Refused("it is not kept at Slack")

    async def _get(self, address: str, limit: int, mime: str) -> bytes | str:
        """Return a file, or the address at which it is instead."""
        timeout = aiohttp.ClientTimeout(
            total=_ANSWER_SECONDS + limit / _SLOWEST_BYTES_PER_SECOND,
            connect=10.0,
            sock_read=_ANSWER_SECONDS,
        )
        try:
            async with self._api.connections.session.get(
                address,
                headers={"Authorization": f"Bearer {self._token}"},
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                if response.status in {301, 302, 303, 307, 308}:
                    return response.headers.get("Location", "")
                _check_answer(response, limit, mime)
                return await _read(response, limit)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise failure(error, is_repeatable=True) from None


def _check_trouble(response: aiohttp.ClientResponse) -> None:
    if response.status == HTTPStatus.TOO_MANY_REQUESTS:
        told = response.headers.get("Retry-After", "")
        raise RetryLater("Slack asks to wait", told_to_wait(told, UNTOLD_PENALTY))
    if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise RetryLater(f"Slack is in trouble (HTTP {response.status})", 1.0)


def _check_answer(response: aiohttp.ClientResponse, limit: int, mime: str) -> None:
    _check_trouble(response)
    if response.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise Refused(_MISSING_SCOPE)
    if response.status != HTTPStatus.OK:
        raise Refused("Slack no longer has it")
    if response.content_type == "text/html" and mime != "text/html":
        raise Refused(_MISSING_SCOPE)
    if (response.content_length or 0) > limit:
        raise _too_large(limit)


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    pieces: list[bytes] = []
    room = limit
    async for piece in response.content.iter_any():
        room -= len(piece)
        if room < 0:
            raise _too_large(limit)
        pieces.append(piece)
    return b"".join(pieces)


def _megabytes(size: int) -> int:
    return -(-size // 1_000_000)


def _too_large(limit: int) -> Refused:
    return Refused(f"it is larger than the {_megabytes(limit)} MB that can be fetched")
