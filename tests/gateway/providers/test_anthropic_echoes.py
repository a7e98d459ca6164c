"""Answers with thoughts are remembered while their turn lasts."""

from typing import Any

from gateway.providers.anthropic_echoes import Echoes
from gateway.providers.history import Round, mend
from gateway.transcript import AssistantEntry, Entry, ToolCall, ToolResultEntry, UserEntry

CONTENT: list[dict[str, Any]] = [
    {"type": "thinking", "thinking": "hm", "signature": "s"},
    {"type": "text", "text": "Let me see."},
    {"type": "tool_use", "id": "toolu_1", "name": "now", "input": {}},
]


def turn(*later: Entry, text: str = "Let me see.", call_id: str = "toolu_1") -> list[Round]:
    call = ToolCall(call_id, "now", {})
    result = ToolResultEntry(call_id, "now", "noon")
    return mend([UserEntry("hi"), AssistantEntry(text, (call,)), result, *later])


def test_the_running_turns_answer_comes_back() -> None:
    echoes = Echoes()
    echoes.keep(CONTENT)
    assert echoes.of(turn()) == {"toolu_1": CONTENT}


def test_an_ended_turns_answer_does_not() -> None:
    echoes = Echoes()
    echoes.keep(CONTENT)
    assert echoes.of(turn(AssistantEntry("Noon."), UserEntry("thanks"))) == {}


def test_an_answer_that_reads_otherwise_by_now_does_not() -> None:
    echoes = Echoes()
    echoes.keep(CONTENT)
    assert echoes.of(turn(text="Something else.")) == {}
    assert echoes.of(turn(call_id="toolu_2")) == {}


def test_old_answers_make_room() -> None:
    echoes = Echoes()
    echoes.keep(CONTENT)
    for number in range(2, 1_010):
        echoes.keep([{**CONTENT[2], "id": f"toolu_{number}"}])
    assert echoes.of(turn()) == {}
