"""What is sent, as parameters: every length within what Slack takes."""

from pathlib import Path

from adapters.slack.outbound import (
    LIMITS,
    Parameters,
    comment,
    edit_parameters,
    key_of,
    send_parameters,
    settled_blocks,
    task_chunk,
    where,
    without_blocks,
)
from gateway.ids import MessageId
from gateway.messages import Choice, OutgoingFile, OutgoingMessage, Place, Task, TaskState
from tests.fakes.slack.blocks import checked_blocks

DIRECT = Place("D0ANN", is_direct=True)
THREAD = Place("C0DEV", thread="1.0", space="T0TEAM")


def sent(place: Place = DIRECT, **more: object) -> Parameters:
    message = OutgoingMessage(**{"key": "out_1", "text": "hello", **more})  # type: ignore[arg-type] # by name
    return send_parameters(place, message, previews=False)


def test_a_place_is_named_with_its_thread_or_what_answers_hang_on() -> None:
    assert where(DIRECT) == {"channel": "D0ANN"}
    assert where(Place("D0ANN", is_direct=True, anchor="2.0"))["thread_ts"] == "2.0"
    assert where(THREAD) == {"channel": "C0DEV", "thread_ts": "1.0"}


def test_l25_the_longest_text_with_everything_beside_it_is_within_the_limits() -> None:
    text = "<" * (LIMITS.text // LIMITS.measure("<"))
    tasks = tuple(Task(f"t{number}", "&" * 160, TaskState.DONE, "&" * 500) for number in range(20))
    choices = tuple(Choice("L" * 100, "v" * 64) for _ in range(25))
    parameters = sent(text=text, tasks=tasks, choices=choices)
    checked_blocks(parameters["blocks"])
    assert len(parameters["text"]) <= 4000
    assert [block["type"] for block in parameters["blocks"]] == ["markdown", "context", "actions"]
    assert len(parameters["blocks"][0]["text"]) <= LIMITS.text


def test_n16_buttons_have_names_of_their_own() -> None:
    choices = (Choice("same label", "one"), Choice("same label", "two"), Choice(" ", "three"))
    elements = sent(choices=choices)["blocks"][-1]["elements"]
    assert len({one["action_id"] for one in elements}) == 3
    assert elements[2]["text"]["text"] == "…"


def test_a_message_without_words_shows_that_there_will_be_some() -> None:
    parameters = sent(text="", is_growing=True)
    assert parameters["text"] == "…"
    assert parameters["blocks"] == [{"type": "markdown", "text": "…"}]


def test_previews_are_only_of_what_is_whole() -> None:
    whole = OutgoingMessage("out_1", "https://example.org")
    assert send_parameters(DIRECT, whole, previews=True)["unfurl_links"]
    growing = OutgoingMessage("out_1", "https://example.org", is_growing=True)
    assert not send_parameters(DIRECT, growing, previews=True)["unfurl_links"]
    assert not send_parameters(DIRECT, whole, previews=False)["unfurl_media"]


def test_a_key_is_read_back() -> None:
    parameters = edit_parameters(MessageId("D0ANN:1.0"), OutgoingMessage("out_7", "hello"))
    assert (parameters["channel"], parameters["ts"]) == ("D0ANN", "1.0")
    assert key_of(parameters) == "out_7"
    for other in ({}, {"metadata": {"event_type": "task_created", "event_payload": {"key": "x"}}}):
        assert key_of(other) is None


def test_without_blocks_the_words_are_left() -> None:
    bare = without_blocks(sent(text="**a**", choices=(Choice("Yes", "yes"),)))
    assert (bare["text"], bare["blocks"]) == ("**a**", [])


def test_a_settled_question_shows_what_was_chosen_and_by_whom() -> None:
    asked = sent(text="Really?", choices=(Choice("Yes", "yes"),))
    shown = settled_blocks(asked, "Yes <!here>", "Ann & Ben")
    checked_blocks(shown["blocks"])
    assert [block["type"] for block in shown["blocks"]] == ["markdown", "context"]
    [told] = shown["blocks"][1]["elements"]
    assert told["text"] == "✓ Yes &lt;!here&gt; — Ann &amp; Ben"
    checked_blocks(settled_blocks({}, "Yes", "Ann")["blocks"])


def test_a_task_says_how_far_it_is() -> None:
    chunk = task_chunk(Task("t1", "search\x00: x" + "y" * 300, TaskState.RUNNING))
    assert (chunk["status"], len(chunk["title"])) == ("in_progress", 256)
    assert "output" not in chunk
    assert task_chunk(Task("t1", "x", TaskState.FAILED, "gone"))["output"] == "gone"


def test_captions_are_said_once(tmp_path: Path) -> None:
    files = [
        OutgoingFile(tmp_path / "a", "a", "text/plain", caption=caption)
        for caption in ("one", " ", "two & **two**", "one")
    ]
    assert comment(files) == "one\n\ntwo &amp; *two*"
