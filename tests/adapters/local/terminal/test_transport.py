import os
import pty
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.local.terminal.transport import Terminal
from adapters.local.transport import Signal
from gateway.errors import RetryLater
from gateway.ids import MessageId
from tests.fakes.clock import FakeClock
from tests.fakes.screen import FakeScreen


class Desk:
    """A keyboard, a screen, and the terminal between them."""

    def __init__(self, history: Path | None = None) -> None:
        self.keys, self.keyboard = pty.openpty()
        self.screen = FakeScreen()
        self.clock = FakeClock()
        self.terminal = Terminal(self.keyboard, self.screen, self.clock, history)

    def type(self, keys: str) -> None:
        os.write(self.keys, keys.encode())

    def close(self) -> None:
        os.close(self.keys)
        os.close(self.keyboard)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("LINES", "20")
    desk = Desk()
    yield desk
    desk.close()


async def test_a_line_is_read_and_stays_above_the_prompt(desk: Desk) -> None:
    async with desk.terminal.reading():
        desk.type("hello\x7f\x7fp!\r")
        assert await desk.terminal.read() == "help!"
        desk.type("next")
        await desk.screen.shows("> next")
        assert desk.screen.rows == ["> help!", "", "> next"]


async def test_an_answer_grows_above_what_is_being_typed(desk: Desk) -> None:
    answer = MessageId("1")
    async with desk.terminal.reading():
        desk.type("typing ah\x1b[D\x1b[D")
        await desk.screen.shows("> typing ah")
        desk.terminal.show_growing(answer, "Once **upon")
        assert desk.screen.rows == ["  Once **upon", "", "> typing ah"]
        desk.terminal.show_growing(answer, "Once **upon** a time")
        desk.terminal.note("Saved a file")
        assert desk.screen.rows[2:] == ["  Once upon a time", "", "> typing ah"]
        desk.terminal.show(answer, "Once **upon** a time.\n\nThe end.")
        assert desk.screen.rows == [
            *("  Saved a file", "", "  Once upon a time.", "", "  The end.", ""),
            "> typing ah",
        ]
        assert desk.screen.column == len("> typing ")
        desk.type("X")
        await desk.screen.shows("> typing Xah")


async def test_a_long_answer_shows_its_end_until_it_is_whole(desk: Desk) -> None:
    text = "\n".join(f"line {number}" for number in range(50))
    async with desk.terminal.reading():
        desk.terminal.show_growing(MessageId("1"), text)
        assert len(desk.screen.rows) <= 20
        assert "line 49" in desk.screen.text
        assert "line 10" not in desk.screen.text
        desk.terminal.show(MessageId("1"), text)
        assert [row.strip() for row in desk.screen.rows[:50]] == text.splitlines()


async def test_two_answers_grow_apart(desk: Desk) -> None:
    async with desk.terminal.reading():
        desk.terminal.show_growing(MessageId("1"), "first")
        desk.terminal.show_growing(MessageId("2"), "second")
        desk.terminal.show(MessageId("2"), "second.")
        assert desk.screen.rows == ["  second.", "", "  first", "", ">"]


async def test_a_sign_turns_while_an_answer_is_on_its_way(desk: Desk) -> None:
    async with desk.terminal.reading():
        desk.terminal.show_busy(1.0)
        seen = set()
        for _ in range(5):
            await desk.clock.advance(0.1)
            seen.add(desk.screen.rows[0])
        assert len(seen) >= 4
        await desk.clock.advance(1.0)
        assert desk.screen.rows == [">"]
        await desk.clock.advance(60)
        assert desk.clock.sleeping == 0


@pytest.mark.parametrize(
    ("keys", "signal"),
    [("\x03", Signal.INTERRUPT), ("\x04", Signal.END), ("a\x03\x04", Signal.END)],
)
async def test_keys_that_are_no_lines(desk: Desk, keys: str, signal: Signal) -> None:
    async with desk.terminal.reading():
        desk.type(keys)
        assert await desk.terminal.read() is signal


async def test_an_interrupt_reaches_a_running_answer_past_a_typed_line(desk: Desk) -> None:
    async with desk.terminal.reading():
        desk.terminal.show_growing(MessageId("1"), "endless")
        desk.type("typed\x03")
        assert await desk.terminal.read() is Signal.INTERRUPT
        assert desk.screen.rows[-1] == "> typed"


async def test_a_pasted_text_is_one_message(desk: Desk) -> None:
    async with desk.terminal.reading():
        desk.type("\x1b[200~one\rtwo\x1b[201~\r")
        assert await desk.terminal.read() == "one\ntwo"
        assert desk.screen.rows == ["> one", "  two", "", ">"]


async def test_what_was_typed_too_early_is_not_lost(desk: Desk) -> None:
    desk.type("early\r")
    async with desk.terminal.reading():
        assert await desk.terminal.read() == "early"


async def test_empty_lines_are_not_sent(desk: Desk) -> None:
    async with desk.terminal.reading():
        desk.type("\r  \r\x15x\r")
        assert await desk.terminal.read() == "x"


async def test_the_terminal_is_given_back(desk: Desk) -> None:
    before = termios.tcgetattr(desk.keyboard)

    async def fail() -> None:
        async with desk.terminal.reading():
            assert termios.tcgetattr(desk.keyboard) != before
            raise RetryLater("no luck", 1)

    with pytest.raises(RetryLater):
        await fail()
    assert termios.tcgetattr(desk.keyboard) == before
    assert "\x1b[?2004l" in desk.screen.getvalue()
    desk.terminal.show(MessageId("1"), "still shown")
    desk.terminal.close()
    assert "still shown" in desk.screen.text


async def test_input_ends_with_its_terminal(desk: Desk) -> None:
    async with desk.terminal.reading():
        os.close(desk.keys)
        assert await desk.terminal.read() is Signal.END
    desk.keys = os.dup(0)


async def test_earlier_lines_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    for keys in ("yesterday\r", "\x1b[A\r"):
        desk = Desk(tmp_path / "history")
        async with desk.terminal.reading():
            desk.type(keys)
            assert await desk.terminal.read() == "yesterday"
        desk.close()


async def test_a_narrower_terminal_is_drawn_anew(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk.terminal.reading():
        desk.terminal.show_growing(MessageId("1"), "word " * 10)
        monkeypatch.setenv("COLUMNS", "30")
        os.kill(os.getpid(), 28)
        await desk.screen.shows("  word word word word word\n  word")


def test_a_greeting_says_what_can_be_done(desk: Desk) -> None:
    desk.terminal.greet("**Parley** · main")
    assert "Parley · main" in desk.screen.text
    assert "Ctrl-D leaves" in desk.screen.text
