import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from gateway.messages import Choice
from gateway.replies.wording import as_code, escaped, listed, noted, stub

_FULL = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_words = st.text(st.sampled_from("ab1 `*_~[]()<>#|-+.!\\>=:&;é\n"), min_size=1, max_size=40)


def shown(markdown: str) -> str:
    """Say what a reader sees; fail on any markup but emphasis and code."""
    said = []
    for token in _FULL.parse(markdown):
        assert token.type in {"paragraph_open", "paragraph_close", "inline"}, token.type
        for child in token.children or ():
            assert child.type in {"text", "text_special", "softbreak", "em_open", "em_close"}, (
                child.type
            )
            said.append(" " if child.type == "softbreak" else child.content)
    return "".join(said)


@given(_words)
def test_escaped_words_are_shown_as_they_are(words: str) -> None:
    words = " ".join(f"x {words} x".split())
    assert shown(f"x{escaped(words[1:])}") == words


@given(_words)
@example("1)")
@example("2024.")
@example("- x")
def test_escaped_words_may_begin_a_text(words: str) -> None:
    words = " ".join(words.split())
    assert shown(escaped(words)) == words


@given(_words.filter(lambda words: bool(words.strip())))
def test_as_code_nothing_gets_out_of_it(words: str) -> None:
    (inline,) = (token for token in _FULL.parse(f"x {as_code(words)} y") if token.children)
    kinds = [child.type for child in inline.children or ()]
    assert kinds == ["text", "code_inline", "text"]
    assert (inline.children or [])[1].content == " ".join(words.split())


@given(st.text(st.sampled_from("ab1 `*_[]()<>.\n"), max_size=200))
def test_r6_a_stub_is_short_plain_and_less_than_the_whole(text: str) -> None:
    words = stub(text)
    assert words.endswith("…")
    assert len(words) <= 81
    assert text.strip().startswith(words[:-1])
    assert len(words) - 1 < len(text.strip()) or not text.strip()
    assert not set("`*_[]<>") & set(words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "…"),
        ("Hello", "…"),
        ("Hello there", "Hello…"),
        ("The answer is **42**", "The answer is…"),
        ("**Bold** start", "…"),
        ("# Heading", "…"),
        ("One line\nand another", "One line…"),
        ("Well, then: yes", "Well, then…"),
    ],
)
def test_stubs(text: str, words: str) -> None:
    assert stub(text) == words


def test_noted_words_are_set_apart_line_by_line() -> None:
    assert noted("Stopped.\n\nSend *more*") == "_Stopped._\n_Send \\*more\\*_"


def test_choices_as_text() -> None:
    assert listed([Choice("A_b", "/x `1`"), Choice("B", "/y")]) == (
        "- A_b: `` /x `1` ``\n- B: `/y`"
    )
