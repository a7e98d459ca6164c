import base64
import io
import json
import logging
import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import quote

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from typing_extensions import override

from gateway.logs import Redactor, configure_logs, escape_controls
from gateway.settings import LogSettings

CANARY = "canary/Zq4xT9+vLm2 K8&wQ1=sD7?jH6"
Level = Literal["debug", "info", "warning", "error"]
Format = Literal["console", "json"]


class Terminal(io.StringIO):
    @override
    def isatty(self) -> bool:
        return True


class Full(io.StringIO):
    @override
    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.level, root.handlers[:])
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    logging.captureWarnings(capture=False)
    root.level, root.handlers[:] = before


def start(
    level: Level = "info", form: Format | None = "json", stream: io.StringIO | None = None
) -> io.StringIO:
    stream = stream or io.StringIO()
    configure_logs(LogSettings(level=level, format=form), [CANARY], stream)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_json_line_with_its_context() -> None:
    stream = start()
    with structlog.contextvars.bound_contextvars(turn="turn_1"):
        structlog.get_logger().info("turn.finished", seconds=1.5)
    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "turn.finished", "level": "info", "turn": "turn_1", "seconds": 1.5}


def test_a_terminal_gets_a_readable_line_and_a_pipe_json() -> None:
    terminal = start(form=None, stream=Terminal())
    structlog.get_logger().info("turn.finished", seconds=1.5)
    assert "turn.finished" in terminal.getvalue()
    assert "{" not in terminal.getvalue()
    pipe = start(form=None)
    structlog.get_logger().info("turn.finished", seconds=1.5)
    assert lines(pipe)[0]["seconds"] == 1.5


def test_lower_levels_are_left_out() -> None:
    stream = start("warning")
    log = structlog.get_logger()
    log.debug("a.debugged")
    log.info("a.told")
    log.warning("a.warned")
    assert [line["event"] for line in lines(stream)] == ["a.warned"]


@pytest.mark.parametrize("name", ["httpx", "httpcore", "aiohttp.access", "sqlalchemy.engine"])
def test_libraries_are_heard_from_warning_on(name: str) -> None:
    stream = start("debug")
    library = logging.getLogger(name)
    library.setLevel(logging.DEBUG)
    try:
        library.info("HTTP Request: POST https://host/bot123:%s/send", CANARY)
        library.warning("lost %s", "touch")
    finally:
        library.setLevel(logging.NOTSET)
    (line,) = lines(stream)
    assert (line["event"], line["level"], line["logger"]) == ("lost touch", "warning", name)


def test_a_library_that_formats_badly_is_still_heard() -> None:
    stream = start()
    arguments = ("one",)
    logging.getLogger("clumsy").log(35, "two %s %s", *arguments)
    assert lines(stream)[0]["event"] == "two %s %s"
    assert lines(stream)[0]["level"] == "warning"


def test_python_warnings_join() -> None:
    stream = start()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old ways", DeprecationWarning, stacklevel=1)
    assert "old ways" in lines(stream)[0]["event"]


def fail(why: str, local: object = None) -> None:
    kept = [local]
    raise ValueError(f"no luck with {why}" if kept else "")


def leak(form: Format, **values: object) -> str:
    stream = start("debug", form)
    structlog.get_logger().warning("a.leaked", **values)
    return stream.getvalue()


def written_forms() -> list[str]:
    user = base64.b64encode(f"user:{CANARY}".encode()).decode()
    return [
        CANARY,
        quote(CANARY, safe=""),
        quote(CANARY),
        f"https://host/bot{CANARY}/getMe",
        base64.b64encode(CANARY.encode()).decode(),
        base64.urlsafe_b64encode(b"ab" + CANARY.encode()).decode(),
        f"Basic {user}",
        json.dumps({"token": CANARY}),
    ]


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("written", written_forms())
def test_t45_a_known_secret_is_hidden_in_any_form_and_place(form: Format, written: str) -> None:
    for values in ({"url": written}, {"deep": [{"in": ("a", written)}]}, {written: 1}):
        output = leak(form, **values)
        assert "a.leaked" in output
        assert "hidden" in output
        for part in ("Zq4xT9", "vLm2", "K8&wQ1", "jH6", *written_forms()):
            assert part not in output


@pytest.mark.parametrize("form", ["json", "console"])
def test_t45_a_secret_split_over_lines_shows_at_most_a_quarter(form: Format) -> None:
    for cut in range(1, len(CANARY)):
        output = leak(form, head=CANARY[:cut], tail=CANARY[cut:])
        longest = max(
            (CANARY[a:b] for a in range(len(CANARY)) for b in range(a, len(CANARY) + 1)),
            key=lambda piece: len(piece) if piece in output else 0,
        )
        assert len(longest) <= len(CANARY) // 4


@pytest.mark.parametrize("form", ["json", "console"])
def test_t45_exceptions_show_neither_secrets_nor_locals(form: Format) -> None:
    stream = start(form=form)
    private = "a local's value"
    try:
        fail(CANARY, private)
    except ValueError:
        structlog.get_logger().exception("a.failed")
        logging.getLogger("library").exception("it failed")
    output = stream.getvalue()
    assert output.count("ValueError: no luck with [hidden]") == 2
    assert "Zq4xT9" not in output
    assert "a local's value" not in output


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("bot 123456789:AAHfiqksKZ8WmR2zMB7wAqmVh1EgdP5Lxyz", "bot 123456789:[hidden]"),
        ("key sk-ant-api03-abcdefghijklmnop", "key [hidden]"),
        ("xoxb-1234567890-abcdef and xapp-1-A0123456789", "[hidden] and [hidden]"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer [hidden]"),
        ("MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs", "MTk4NjIyNDgzNDcx"),
        ("eyJhbGciOi.eyJzdWIiOi.SflKxwRJ", "[hidden]"),
        ("http://user:pa55word@host/x", "http://[hidden]@host/x"),
    ],
)
def test_t45_what_looks_like_a_token_is_hidden(text: str, shown: str) -> None:
    assert Redactor([])(text).startswith(shown)
    assert "ZnCjm1" not in Redactor([])(text)


@pytest.mark.parametrize(
    "text",
    [
        "turn_01j5x9k2m3n4p5q6r7s8t9v0wx",
        "task-list-of-today-and-tomorrow",
        "2026-01-01T00:00:00.123456Z",
        "/srv/parley/gateway/config/load.py:31",
        "http://127.0.0.1:8080/health",
        "sqlite:////var/lib/parley.db",
        "a bearer of news",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert Redactor([CANARY, "short"])(text) == text
    assert Redactor(["short"])("a short word") == "a short word"


def test_a_wrapped_secret_stays_wrapped() -> None:
    assert "sesame-open" not in leak("json", token=SecretStr("sesame-open"))


@pytest.mark.parametrize("form", ["json", "console"])
def test_t59_nobody_forges_a_line_or_moves_the_cursor(form: Format) -> None:
    evil = "x\r\n2026-01-01 [error] forged\x1b[2J\x9b1A\u202eevil\u2028\ud800\x00"
    stream = start(form=form)
    structlog.get_logger().warning("a.warned", reason=evil, deep=[evil])
    logging.getLogger("library").warning("%s", evil)
    output = stream.getvalue()
    assert len(output.splitlines()) == 2
    assert not set(output) & set("\r\x1b\x9b\u202e\u2028\ud800\x00")


def test_t59_a_traceback_keeps_its_lines_and_no_escapes() -> None:
    stream = start(form="console")
    try:
        fail("\x1b[31mred")
    except ValueError:
        structlog.get_logger().exception("a.failed")
    assert len(stream.getvalue().splitlines()) > 3
    assert "\x1b" not in stream.getvalue()


@given(st.text())
def test_t59_escaping_leaves_only_what_can_be_shown(text: str) -> None:
    escaped = escape_controls(text)
    assert all(char.isprintable() or char.isspace() or ord(char) > 0xA0 for char in escaped)
    assert len(escaped.splitlines()) <= 1
    escaped.encode()


def test_a_full_disk_under_the_log_stops_nothing() -> None:
    start(stream=Full())
    structlog.get_logger().error("a.failed")


def test_logging_loads_no_rich() -> None:
    program = (
        "import sys; from gateway.cli.main import main; main(['version'], standalone_mode=False);"
        "import gateway.logs; from gateway.settings import LogSettings;"
        "gateway.logs.configure_logs(LogSettings(format='console'));"
        "import structlog; structlog.get_logger().info('a.told');"
        "sys.exit('rich' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
