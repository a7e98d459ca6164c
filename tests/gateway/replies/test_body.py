import pytest

from gateway.events import (
    NoticeAdded,
    TextDelta,
    TextRestarted,
    ToolFinished,
    ToolStarted,
    TurnFailed,
)
from gateway.messages import Limits
from gateway.replies.body import Body, BodyEvent

TOOL = ToolStarted(call_id="1", tool="now", summary="")
DONE = ToolFinished(call_id="1", tool="now", summary="noon", seconds=0.1)


def body(*events: BodyEvent | str, limit: int = 1000) -> Body:
    made = Body(Limits(text=limit))
    for event in events:
        made.add(TextDelta(text=event) if isinstance(event, str) else event)
    return made


def interim(made: Body) -> list[str]:
    return [view.text for view in made.interim_pages()]


def final(made: Body, below: str = "") -> list[str]:
    return [view.text for view in made.final_pages(below)]


def test_steps_are_paragraphs() -> None:
    made = body("\n\nFirst", " step.\n", TOOL, DONE, "\nSecond.")
    assert interim(made) == ["First step.\n\nSecond."]
    assert final(made) == ["First step.\n\nSecond.\n\n🔧 now · 0.1 s"]


def test_nothing_yet_is_no_page() -> None:
    assert interim(body()) == []
    assert interim(body("  \n")) == []


def test_an_empty_answer_says_so() -> None:
    assert final(body(" ")) == ["(empty response)"]
    assert final(body(TOOL, DONE)) == ["(empty response)\n\n🔧 now · 0.1 s"]


def test_files_are_an_answer() -> None:
    made = body()
    made.has_sent_files()
    assert final(made) == []


def test_text_that_shows_nothing_is_shown_as_it_is() -> None:
    made = Body(Limits(text=100, measure=lambda text: len(text.lstrip(">").strip())))
    made.add(TextDelta(text=">"))
    assert interim(made) == ["…"]
    assert final(made) == ["\\>"]


def test_a_restart_voids_the_step_and_keeps_what_is_ours() -> None:
    made = body(
        "Kept.", TOOL, DONE, "Void", NoticeAdded(words="Another model."), "void", TextRestarted()
    )
    made.add(TextDelta(text="New."))
    assert interim(made) == ["Kept.\n\n_Another model._\n\nNew."]


def test_failure_words_alone_or_after_text() -> None:
    assert final(body(TurnFailed(words="No key."))) == ["No key."]
    assert final(body("Half", TurnFailed(words="No key."))) == ["Half\n\n_No key._"]


@pytest.mark.parametrize("mark", ["```py\ncode", "~~~\ncode", "````\n```\ncode"])
def test_what_is_ours_never_lands_in_an_open_fence(mark: str) -> None:
    marker = mark[:4] if mark.startswith("````") else mark[:3]
    made = body(f"Look:\n{mark}", TOOL)
    assert interim(made) == [f"Look:\n{mark}\n{marker}\n\n⏳ now"]
    made = body(f"Look:\n{mark}", NoticeAdded(words="Stopped."))
    assert final(made) == [f"Look:\n{mark}\n{marker}\n\n_Stopped._"]


def test_an_open_fence_inside_a_list_needs_no_closing() -> None:
    made = body("- item\n  ```\n  code", NoticeAdded(words="Stopped."))
    assert final(made) == ["- item\n  ```\n  code\n\n_Stopped._"]


def test_status_lines_never_make_a_page_of_their_own() -> None:
    made = body("word " * 19, TOOL, limit=100)
    assert interim(made) == [("word " * 19).strip()]
    assert final(made) == [("word " * 19).strip(), "🔧 now"]


def test_notes_stand_below_the_text() -> None:
    made = body("Words.")
    made.note("A file may be missing: a.txt")
    assert final(made, "- A: `/a`") == ["Words.\n\n_A file may be missing: a.txt_\n\n- A: `/a`"]


def test_growing_pages_are_measured_once() -> None:
    calls = 0

    def measure(text: str) -> int:
        nonlocal calls
        calls += 1
        return len(text.replace("o", ""))

    made = Body(Limits(text=500, measure=measure))
    made.add(TextDelta(text="Some words of text. " * 200))
    made.interim_pages()
    first = calls
    for _ in range(10):
        made.add(TextDelta(text="word "))
        made.interim_pages()
    assert first > 3
    assert calls - first <= 10 * 8
