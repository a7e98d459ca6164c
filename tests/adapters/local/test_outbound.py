from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.local.outbound import file_name, show_message, show_size, show_text
from gateway.messages import Choice, OutgoingFile, OutgoingMessage


def name_of(name: str) -> str:
    return file_name(OutgoingFile(Path("/tmp/f"), name, "text/plain"))


def test_choices_are_numbered() -> None:
    message = OutgoingMessage("k", "Run it?", choices=(Choice("Yes", "y"), Choice("No", "n")))
    assert show_message(message) == "Run it?\n\n1. Yes\n2. No\n\n*Type a number to choose.*"


def test_a_growing_message_offers_nothing_yet() -> None:
    message = OutgoingMessage("k", "On its w", choices=(Choice("Stop", "s"),), is_growing=True)
    assert show_message(message) == "On its w"


def test_text_alone_stays_as_it_is() -> None:
    assert show_message(OutgoingMessage("k", "**Hi**\n\nyou")) == "**Hi**\n\nyou"
    assert show_text("a\tb\nc") == "a   b\nc"


@pytest.mark.parametrize(
    "trick", ["\x1b[2J", "\x1b]0;title\x07", "\r", "\x9b31m", "\u202e", "\u2066", "\x00", "\ud800"]
)
def test_t59_text_cannot_move_the_cursor_or_reorder(trick: str) -> None:
    shown = show_message(OutgoingMessage("k", f"a{trick}b", choices=(Choice(f"c{trick}", "v"),)))
    assert not set(shown) & set("\x1b\x07\r\x9b\u202e\u2066\x00\ud800")
    assert trick not in name_of(f"a{trick}b")


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("notes.txt", "notes.txt"),
        ("../../etc/passwd", "passwd"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("..", "file"),
        (".bashrc", "bashrc"),
        ("", "file"),
        ("two\nlines\t.txt", "two lines .txt"),
        ("x" * 300 + ".pdf", "x" * 56 + ".pdf"),
        ("a." + "b" * 300, "a." + "b" * 9),
    ],
)
def test_t36_a_name_leads_nowhere_else(name: str, safe: str) -> None:
    assert name_of(name) == safe


@given(st.text())
def test_t36_any_name_can_be_used(name: str) -> None:
    safe = name_of(name)
    assert safe
    assert len(safe.encode()) <= 240
    assert "/" not in safe
    assert not safe.startswith(".")


@pytest.mark.parametrize(
    ("size", "shown"),
    [(0, "0 B"), (999, "999 B"), (5000, "5 kB"), (20_000_000, "20 MB"), (3e9, "3.0 GB")],
)
def test_sizes_are_easy_to_read(size: int, shown: str) -> None:
    assert show_size(size) == shown
