"""Server-sent events as model servers send them: only the `data` of each event counts.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

from gateway.errors import ProviderFailed

EVENT_LIMIT = 1_000_000
"""Bytes; a model's event is a few hundred."""


class SseDecoder:
    """Cuts a byte stream into events as it arrives; comments and keep-alives give none."""

    def __init__(self) -> None:
        self._tail = b""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the data of each event that is complete by now."""
        lines = self._lines(self._tail + chunk)
        events: list[bytes] = []
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[6:] if line[5:6] == b" " else line[5:])
                self._size += len(line)
            elif not line and self._data:
                events.append(b"\n".join(self._data))
                self._data, self._size = [], 0
        if self._size + len(self._tail) > EVENT_LIMIT:
            raise ProviderFailed("The model server sent an answer of unreasonable size.")
        return events

    def finish(self) -> list[bytes]:
        """Return what the end of the stream completes."""
        return self.feed(b"\n\n")

    def _lines(self, received: bytes) -> list[bytes]:
        if b"\r" in received:
            # A carriage return at the end may be half of a line's end.
            whole = received.removesuffix(b"\r")
            rest = received[len(whole) :]
            received = whole.replace(b"\r\n", b"\n").replace(b"\r", b"\n") + rest
        lines = received.split(b"\n")
        self._tail = lines.pop()
        return lines
