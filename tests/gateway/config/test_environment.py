from hypothesis import given
from hypothesis import strategies as st

from gateway.config.environment import Borrowed, Expansion


def test_references_are_found_at_any_depth() -> None:
    expansion = Expansion({"A": "1", "B": "2"})
    assert expansion.expand({"x": ["${A}-${B}", {"y": "${A}"}], "n": 3}) == {
        "x": ["1-2", {"y": "1"}],
        "n": 3,
    }
    assert expansion.used == {"A": "1", "B": "2"}
    assert expansion.problems == []


def test_only_what_came_from_outside_is_marked() -> None:
    expansion = Expansion({"A": "1"})
    assert isinstance(expansion.expand("x${A}"), Borrowed)
    assert not isinstance(expansion.expand("plain $A $${A}"), Borrowed)
    assert expansion.expand("plain $A $${A}") == "plain $A ${A}"


def test_a_value_is_never_expanded_twice() -> None:
    assert Expansion({"A": "${B}", "B": "secret"}).expand("${A}") == "${B}"


@given(st.text().filter(lambda text: "${" not in text))
def test_text_without_references_is_left_alone(text: str) -> None:
    assert Expansion({}).expand(text) == text
