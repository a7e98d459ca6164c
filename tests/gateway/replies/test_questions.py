"""A question for approval, as people see it."""

import json

import pytest

from adapters.telegram.markdown import render
from gateway.events import ApprovalRequested
from gateway.ids import ApprovalId
from gateway.replies.questions import question


def asked(**arguments: str) -> str:
    written = json.dumps(arguments, indent=2, ensure_ascii=False)
    request = ApprovalRequested(
        approval=ApprovalId("ask_1"), call_id="c1", tool="send_file", arguments=written
    )
    return question(request)[0]


@pytest.mark.parametrize(
    "sign", ["\u202e", "\u2066", "\u200b", "\u00ad", "\u2028", "\ufeff", "\U000e0041"]
)
def test_t18_two_calls_that_differ_are_seen_to_differ(sign: str) -> None:
    plain, other = (render(asked(path=path)).text for path in ("a.txt", f"a{sign}.txt"))
    assert sign not in other
    assert other.isascii() or all(one.isprintable() or one == "\n" for one in other)
    assert len(other) > len(plain) + 4


def test_what_is_seen_anyway_is_shown_as_it_is() -> None:
    assert '"path": "Übersicht 漢字 😀.txt"' in asked(path="Übersicht 漢字 😀.txt")
