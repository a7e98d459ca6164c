import pytest

from gateway.replies.spans import find_spans


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("plain words", []),
        ("a **b c** d", [("**b c**", "**")]),
        ("_a_ and *b*", [("_a_", "_"), ("*b*", "*")]),
        ("~~gone~~", [("~~gone~~", "~~")]),
        ("`a ` b", [("`a `", "`")]),
        ("``a ` b``", [("``a ` b``", "``")]),
        ("`open", []),
        ("[t](u)", [("[t](u)", None)]),
        ("![t](u 'title')", [("![t](u 'title')", None)]),
        ("[t](https://e.org/a_(b))", [("[t](https://e.org/a_(b))", None)]),
        ("[**t**](u)", [("[**t**](u)", None), ("**t**", "**")]),
        ("<https://e.org>", [("<https://e.org>", None)]),
        ("[half](https://e", []),
        ("snake_case_name", []),
        ("5 * 3 * 2", []),
        ("\\*no\\*", []),
        ("**a *b* c**", [("**a *b* c**", "**"), ("*b*", "*")]),
        ("***both***", [("***both***", "*"), ("**both**", "**")]),
        ("**open and *closed*", [("*closed*", "*")]),
        ("`code *a` b*", [("`code *a`", "`")]),
    ],
)
def test_spans(text: str, found: list[tuple[str, str | None]]) -> None:
    assert [(text[span.start : span.end], span.marker) for span in find_spans(text)] == found
