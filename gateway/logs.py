"""Logs: one pipe to standard error for everything, which lets no secret and no escape through.

Ours are structlog events; what libraries say through `logging` joins them, from WARNING on.
"""

import base64
import json
import logging
import re
import sys
from collections.abc import Iterable, Iterator, MutableMapping
from typing import Any, TextIO
from urllib.parse import quote, quote_plus

import structlog
from structlog.typing import Processor
from typing_extensions import override

from gateway.settings import LogSettings

HIDDEN = "[hidden]"

_SHORTEST_SECRET = 6
"""Shorter values would blank out ordinary words."""
_SPLIT_FROM = 24
"""Secrets of this length are also known by their quarters, as a wrapped line shows them."""
_TOKENS = tuple(
    # One after the other, each with a cheap first character: together they take ten times
    # as long, on every line.
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"(\d):[\w-]{25,}", rf"\1:{HIDDEN}"),  # number and key, as platforms give to bots
        (r"\.[\w-]{6,7}\.[\w-]{27,}", f".{HIDDEN}"),
        (r"[spr](?<!\w.)k-[\w-]{16,}", HIDDEN),
        (r"x(?:ox[a-z]|app)-[\w-]{10,}", HIDDEN),
        (r"eyJ[\w-]+\.[\w-]+\.[\w-]*", HIDDEN),
        (r"earer [^\s\"']{8,}", f"earer {HIDDEN}"),
        (r"://[^\s/@:]*:[^\s/@]+@", f"://{HIDDEN}@"),
    )
)
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_Event = MutableMapping[str, Any]


class Redactor:
    """Hides known secrets, however they are written, and whatever looks like a token."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets for form in _forms(secret)}
        self._forms = sorted(forms, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for form in self._forms:
            if form in text:
                text = text.replace(form, HIDDEN)
        for pattern, replacement in _TOKENS:
            text = pattern.sub(replacement, text)
        return text


def configure_logs(
    settings: LogSettings, secrets: Iterable[str] = (), stream: TextIO | None = None
) -> None:
    """Set up all logging of this process; to be called once, before anything is logged."""
    stream = stream or sys.stderr
    is_console = (settings.format or ("console" if stream.isatty() else "json")) == "console"
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Without locals: they hold tokens and what people wrote.
            structlog.processors.format_exc_info,
            *_renderers(is_console, stream.isatty(), Redactor(secrets)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: _Lines(stream),
    )
    # The handler's level holds even for a logger that its library has turned up.
    joining = _Joining(max(level, logging.WARNING))
    logging.basicConfig(level=joining.level, handlers=[joining], force=True)
    logging.captureWarnings(capture=True)


def escape_controls(text: str, keep: str = "") -> str:
    """Write characters that move a cursor, colour, reorder or hide text as escapes."""
    return _UNSAFE.sub(lambda found: found[0] if found[0] in keep else ascii(found[0])[1:-1], text)


class _Lines:
    """Writes lines; a stream that takes no more must not stop the gateway."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def msg(self, line: str) -> None:
        try:
            self._stream.write(f"{line}\n")
            self._stream.flush()
        except (OSError, ValueError):
            return

    debug = info = warning = error = critical = exception = msg


class _Joining(logging.Handler):
    """Hands what libraries log to our own pipe."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        try:
            words = record.getMessage()
        except (TypeError, ValueError):
            words = str(record.msg)
        level = min(record.levelno // 10 * 10, logging.CRITICAL)
        structlog.get_logger().log(level, words, logger=record.name, exc_info=record.exc_info)


def _renderers(is_console: bool, has_colours: bool, redact: Redactor) -> Iterator[Processor]:
    if is_console:
        yield _escaped
        render: Processor = structlog.dev.ConsoleRenderer(
            colors=has_colours, exception_formatter=structlog.dev.plain_traceback
        )
    else:
        # Escapes all but plain ASCII, which is all that a log needs.
        render = structlog.processors.JSONRenderer(default=repr)

    # Last, on the finished line: no nesting and no exception can carry a secret past it.
    yield lambda logger, name, event: redact(str(render(logger, name, event)))


def _escaped(_: object, __: str, event: _Event) -> _Event:
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = escape_controls(value, keep="\n\t" if name == "exception" else "")
    return event


def _forms(secret: str) -> Iterator[str]:
    """Return how a secret may come to be written in a line."""
    if len(secret) < _SHORTEST_SECRET:
        return
    yield from (secret, quote(secret, safe=""), quote(secret), quote_plus(secret))
    yield from (json.dumps(secret)[1:-1], repr(secret)[1:-1])
    yield from _base64_forms(secret.encode())
    if len(secret) >= _SPLIT_FROM:
        size = -(-len(secret) // 4)
        yield from (secret[start : start + size] for start in range(0, len(secret) - 4, size))


def _base64_forms(secret: bytes) -> Iterator[str]:
    """Return the digits that a secret gives wherever it begins in what is encoded."""
    for before in range(3):
        written = base64.b64encode(bytes(before) + secret).decode()
        first = -(-before * 8 // 6)
        past = (before + len(secret)) * 8 // 6
        yield written[first:past]
        yield written[first:past].replace("+", "-").replace("/", "_")
