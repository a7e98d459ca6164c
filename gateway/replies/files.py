"""The files of one reply: each sent once, images that are ready together as an album."""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice, takewhile
from pathlib import Path

from gateway.contracts.adapter import SendsFiles
from gateway.contracts.stores import OutboxKind, OutboxRow, OutboxState
from gateway.errors import SendRefused
from gateway.messages import Limits, OutgoingFile
from gateway.replies.body import Body
from gateway.replies.outbox import Deliveries
from gateway.replies.route import Route

MISSING_WORDS = "A file may be missing: {name}"
REFUSED_WORDS = "{name} could not be sent: {reason}"
NO_FILES_WORDS = "{name} cannot be sent here."


class Files:
    """A queue of files; what becomes of each is noted in the reply where it went wrong."""

    def __init__(self, deliveries: Deliveries, route: Route, body: Body) -> None:
        self._deliveries = deliveries
        self._route = route
        self._body = body
        self._waiting: deque[OutgoingFile] = deque()
        self._done: set[Path] = set()
        """Files of earlier attempts: the turn's events name them again."""
        self._position = 0

    @property
    def are_waiting(self) -> bool:
        return bool(self._waiting)

    async def resume(self, rows: Sequence[OutboxRow]) -> None:
        """Take over what an earlier attempt sent, or may have sent."""
        for row in rows:
            if row.kind is OutboxKind.FILES:
                adopted = await self._deliveries.adopt(self._route, row)
                self._done |= {file.path for file in row.files}
                self._position = max(self._position, row.position + 1)
                self._tell(adopted)

    def add(self, file: OutgoingFile) -> None:
        if file.path in self._done:
            return
        if not isinstance(self._route.adapter, SendsFiles):
            self._body.note(NO_FILES_WORDS.format(name=file.name))
        elif (fitting := self._fitted(file)) is not None:
            self._waiting.append(fitting)

    async def send(self) -> None:
        """Send all that is waiting, in order."""
        while self._waiting:
            files = self._next_album()
            try:
                row = await self._deliveries.send_files(self._route, self._position, files)
            except SendRefused as refusal:
                for file in files:
                    self._body.note(REFUSED_WORDS.format(name=file.name, reason=refusal))
            else:
                self._tell(row)
            self._position += 1
            for _ in files:
                self._waiting.popleft()

    def _next_album(self) -> list[OutgoingFile]:
        """Return the next files of one kind, as many as go together."""
        kind = self._waiting[0].is_image
        same = takewhile(lambda file: file.is_image == kind, self._waiting)
        return list(islice(same, max(1, self._route.limits.files_per_album)))

    def _tell(self, row: OutboxRow) -> None:
        if row.state in {OutboxState.SENT, OutboxState.FINAL}:
            self._body.has_sent_files()
            return
        words = REFUSED_WORDS if row.state is OutboxState.FAILED else MISSING_WORDS
        for file in row.files:
            self._body.note(words.format(name=file.name, reason="the platform refused it"))

    def _fitted(self, file: OutgoingFile) -> OutgoingFile | None:
        """Return the file as the platform takes it; None, with a word about it, if it cannot."""
        limits = self._route.limits
        try:
            size = file.path.stat().st_size
        except OSError:
            self._body.note(REFUSED_WORDS.format(name=file.name, reason="it is gone"))
            return None
        if size > limits.file_bytes:
            reason = f"it has {_megabytes(size)}, and at most {_megabytes(limits.file_bytes)} go"
            self._body.note(REFUSED_WORDS.format(name=file.name, reason=reason))
            return None
        if size > limits.image_bytes:
            file = replace(file, is_image=False)
        return self._with_caption_that_fits(file, limits)

    def _with_caption_that_fits(self, file: OutgoingFile, limits: Limits) -> OutgoingFile:
        if limits.measure(file.caption) <= limits.caption:
            return file
        self._body.note(file.caption)
        return replace(file, caption="")


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.0f} MB"
