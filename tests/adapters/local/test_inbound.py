from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.local.inbound import Question, Typed, read_typed, to_message
from gateway.ids import AccountName, ExternalUser, MessageId, PlatformName
from gateway.messages import Address, AttachmentKind, Choice, Message, Origin, Place

OWNER = Address(
    PlatformName("local"),
    AccountName("local"),
    ExternalUser("ada"),
    Place("terminal", is_direct=True),
)
QUESTION = Question(MessageId("m7"), (Choice("Approve", "yes 7"), Choice("Refuse", "no 7")))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    for name in ("photo.jpg", "my notes.txt", "home/song.mp3", "plain"):
        (tmp_path / name).write_bytes(b"12345")
    return tmp_path


def message(typed: Typed, question: Question | None = None) -> Message:
    return to_message(typed, "1-1", 5.0, OWNER, question)


def test_a_line_is_a_direct_message() -> None:
    made = message(read_typed("  hello there "))
    assert made.text == "hello there"
    assert made.address.channel_context == "dm"
    assert (made.sender_name, made.sent_at, made.origin) == ("ada", 5.0, Origin.TYPED)


@pytest.mark.parametrize(
    ("line", "text", "names"),
    [
        ("@photo.jpg what is this?", "what is this?", ["photo.jpg"]),
        ('@"my notes.txt" @photo.jpg compare', "compare", ["my notes.txt", "photo.jpg"]),
        ("@my\\ notes.txt", "", ["my notes.txt"]),
        ("@'my notes.txt'", "", ["my notes.txt"]),
        ("@~/song.mp3", "", ["song.mp3"]),
        ("@plain text", "text", ["plain"]),
        ("look at @photo.jpg", "look at @photo.jpg", []),
        ("@here hi", "@here hi", []),
    ],
)
def test_files_are_taken_off_the_start(here: Path, line: str, text: str, names: list[str]) -> None:
    typed = read_typed(line)
    assert (typed.text, [file.name for file in typed.files]) == (text, names)
    assert all(file.is_relative_to(here) for file in typed.files)
    assert typed.missing == ()


@pytest.mark.parametrize("line", ["@nothing.pdf read it", "@dir/none read it", "@./ read it"])
def test_a_path_to_nothing_is_noticed(here: Path, line: str) -> None:
    typed = read_typed(line)
    assert typed.missing == (line.split(maxsplit=1)[0][1:],)
    assert typed.files == ()
    assert here.exists()


def test_attachments_say_what_they_are(here: Path) -> None:
    typed = read_typed('@photo.jpg @~/song.mp3 @plain @"my notes.txt"')
    kinds = [(one.kind, one.mime, one.size) for one in message(typed).attachments]
    assert kinds == [
        (AttachmentKind.IMAGE, "image/jpeg", 5),
        (AttachmentKind.AUDIO, "audio/mpeg", 5),
        (AttachmentKind.FILE, "application/octet-stream", 5),
        (AttachmentKind.FILE, "text/plain", 5),
    ]
    assert message(typed).attachments[0].reference == str(here / "photo.jpg")


def test_a_number_presses_a_choice() -> None:
    made = message(Typed("2"), QUESTION)
    assert (made.text, made.origin, made.pressed_on) == ("no 7", Origin.PRESSED, "m7")


@pytest.mark.parametrize("text", ["0", "3", "-1", "two", "1.", "²", "\u0661"])
def test_what_is_no_number_of_a_choice_is_said(text: str) -> None:
    made = message(Typed(text), QUESTION)
    assert (made.text, made.origin, made.pressed_on) == (text, Origin.TYPED, None)


def test_a_number_without_a_question_is_said() -> None:
    assert message(Typed("1")).origin is Origin.TYPED


@given(st.text())
def test_any_line_can_be_read(line: str) -> None:
    typed = read_typed(line.replace("@", "(at)"))
    assert typed == Typed(line.replace("@", "(at)").strip())
