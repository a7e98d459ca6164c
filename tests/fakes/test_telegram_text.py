"""How the fake measures and cuts texts: every text, every entity that fits it."""

import html

from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.telegram.markup import parse
from tests.fakes.telegram.text import checked, found, piece, units

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
RESERVED = "_*[]()~`>#+-=|{}.!\\"


@given(TEXTS, st.data())
def test_an_entity_covers_the_same_words_after_trimming(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    bold = {"type": "bold", "offset": units(text[:start]), "length": units(text[start:end])}
    shown = checked(text, [bold])
    assert shown.text == text.strip()
    covered = "".join(piece(shown.text, entity) for entity in shown.entities)
    lead = len(text) - len(text.lstrip())
    assert covered == shown.text[max(0, start - lead) : max(0, end - lead)]


@given(TEXTS)
def test_units_are_those_of_utf_16(text: str) -> None:
    assert units(text) == len(text.encode("utf-16-le")) // 2


@given(TEXTS.filter(lambda text: "\r" not in text))
def test_escaped_texts_come_through_both_modes(text: str) -> None:
    assert parse(html.escape(text), "HTML").text == text.strip()
    escaped = "".join(f"\\{char}" if char in RESERVED else char for char in text)
    assert parse(escaped, "MarkdownV2").text == text.strip()


@given(TEXTS)
def test_what_is_found_lies_inside(text: str) -> None:
    for entity in found(text):
        assert piece(text, entity).startswith(("/", "@", "#", "http"))
