"""A title is short, one line, and made of whole characters."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.sessions.title import make_title
from gateway.transcript import FileBlock, TextBlock


def test_a_short_text_is_its_own_title() -> None:
    assert make_title("Plan the trip") == "Plan the trip"


def test_line_breaks_become_spaces() -> None:
    assert make_title("Plan\n\n the\r\ntrip ") == "Plan the trip"


def test_a_long_text_is_cut_at_the_last_space() -> None:
    text = "Please help me to plan a journey through the north of Norway in winter"
    assert make_title(text) == "Please help me to plan a journey through the north of Norway…"


def test_a_space_at_position_20_or_before_is_no_place_to_cut() -> None:
    text = "x" * 20 + " " + "y" * 60
    assert make_title(text) == "x" * 20 + " " + "y" * 39 + "…"


def test_long_writing_without_spaces_is_cut_between_characters() -> None:
    assert make_title("漢" * 100) == "漢" * 60 + "…"


def test_words_are_found_beside_a_file() -> None:
    content = (FileBlock("assets/a.png", "a.png", "image/png", 3), TextBlock("What is this?"))
    assert make_title(content) == "What is this?"


def test_without_words_there_is_no_title() -> None:
    assert make_title((FileBlock("assets/a.png", "a.png", "image/png", 3),)) is None
    assert make_title("  \n ") is None


@given(st.text(max_size=200))
def test_a_title_is_at_most_sixty_characters_and_an_ellipsis(text: str) -> None:
    title = make_title(text)
    assert title is None or (len(title) <= 61 and title == " ".join(title.split()))
