"""Files both ways, up to what the server takes."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from telegram import InputFile

from adapters.telegram.api import Api, SaidNo
from adapters.telegram.inbound import message_id_of
from adapters.telegram.outbound import Parameters, caption_parameters, is_photo, where
from gateway.errors import Refused, SendRefused
from gateway.ids import MessageId
from gateway.messages import Attachment, Limits, OutgoingFile, Place

_PICTURE_REFUSED = ("photo", "image", "dimensions")
_KINDS = {True: "photo", False: "document"}


class Files:
    """Sends and fetches one account's files."""

    def __init__(self, api: Api, limits: Limits, *, is_local: bool) -> None:
        self._api = api
        self._limits = limits
        self._is_local = is_local

    async def send(self, place: Place, files: Sequence[OutgoingFile]) -> Sequence[MessageId]:
        """Send files together: as pictures if all can be, else as documents."""
        sizes = [self._size(file) for file in files]
        as_photos = all(map(is_photo, files, sizes))
        try:
            return await self._send(place, files, sum(sizes), as_photos=as_photos)
        except SaidNo as refusal:
            if not (as_photos and refusal.says(*_PICTURE_REFUSED)):
                raise
        return await self._send(place, files, sum(sizes), as_photos=False)

    def _size(self, file: OutgoingFile) -> int:
        try:
            size = file.path.stat().st_size
        except OSError as error:
            raise SendRefused(f"{file.name} is no longer there") from error
        if size > self._limits.file_bytes:
            raise SendRefused(
                f"{file.name} has {_megabytes(size)} MB; Telegram takes at most "
                f"{_megabytes(self._limits.file_bytes)} MB from a bot"
            )
        if size == 0:
            raise SendRefused(f"{file.name} is empty; Telegram takes no empty files")
        return size

    async def _send(
        self, place: Place, files: Sequence[OutgoingFile], size: int, *, as_photos: bool
    ) -> Sequence[MessageId]:
        kind = _KINDS[as_photos]
        with ExitStack() as opened:
            contents = [self._content(file, opened) for file in files]
            if len(files) == 1:
                method = f"send{kind.capitalize()}"
                parameters = {kind: contents[0], **caption_parameters(files[0].caption)}
            else:
                method, parameters = "sendMediaGroup", _album(kind, files, contents)
            sent = await self._api.call(
                method, {**where(place), **parameters}, is_repeatable=False, upload=size
            )
        messages = sent if isinstance(sent, list) else [sent]
        return [message_id_of(one) for one in messages]

    def _content(self, file: OutgoingFile, opened: ExitStack) -> InputFile | str:
        if self._is_local:
            return file.path.absolute().as_uri()
        handle = opened.enter_context(file.path.open("rb"))
        return InputFile(handle, filename=file.name, read_file_handle=False)

    async def fetch(self, attachment: Attachment, limit: int) -> bytes:
        if attachment.size is not None and attachment.size > limit:
            raise _too_large(limit)
        try:
            file = await self._api.call("getFile", {"file_id": attachment.reference})
            if file.get("file_size", 0) > limit:
                raise _too_large(limit)
            return await self._api.download(file["file_path"], limit)
        except SaidNo as refusal:
            if refusal.says("too big"):
                raise _too_large(limit) from refusal
            raise Refused("Telegram no longer has it") from refusal


def _album(kind: str, files: Sequence[OutgoingFile], contents: Sequence[Any]) -> Parameters:
    """Name each upload by a part of its own; a path on a shared disk stands for itself."""
    names = [f"file{number}" for number in range(len(files))]
    media = [
        {
            "type": kind,
            "media": content if isinstance(content, str) else f"attach://{name}",
            **caption_parameters(file.caption),
        }
        for name, file, content in zip(names, files, contents, strict=True)
    ]
    uploads = {
        name: content
        for name, content in zip(names, contents, strict=True)
        if not isinstance(content, str)
    }
    return {"media": media, **uploads}


def _megabytes(size: int) -> int:
    return -(-size // 1_000_000)


def _too_large(limit: int) -> Refused:
    return Refused(f"it is larger than the {_megabytes(limit)} MB that can be fetched")
