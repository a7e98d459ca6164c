"""The fault language by itself: which calls a rule meets."""

from typing import Any

import pytest

from tests.fakes.faults import Answer, Drip, Drop, Effect, Faults, Hang, RateLimit, Reset

CALLS = 6


def befallen(faults: Faults, path: str = "/bot1:T/sendMessage", **facts: Any) -> list[int]:
    """Return which of six calls a fault befalls, counted from 1."""
    taken = [faults.take("POST", path, facts) for _ in range(CALLS)]
    return [number for number, effect in enumerate(taken, start=1) if effect is not None]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"path": "sendMessage"}, [1, 2, 3, 4, 5, 6]),
        ({"path": "editMessage"}, []),
        ({"method": "GET"}, []),
        ({"nth": 3}, [3]),
        ({"every": 2}, [2, 4, 6]),
        ({"times": 2}, [1, 2]),
        ({"after": 4}, [5, 6]),
        ({"after": 1, "every": 2, "times": 2}, [2, 4]),
        ({"when": lambda facts: facts["chat_id"] == 7}, [1, 2, 3, 4, 5, 6]),
        ({"when": lambda facts: facts["chat_id"] == 8}, []),
    ],
    ids=str,
)
def test_rules_choose_their_calls(rule: dict[str, Any], expected: list[int]) -> None:
    faults = Faults()
    fault = faults.add(Drop(), **rule)
    assert befallen(faults, chat_id=7) == expected
    assert fault.used == len(expected)


def test_the_first_rule_that_fires_wins_and_the_next_does_not_count_that_call() -> None:
    faults = Faults()
    faults.add(Answer(502), nth=1)
    faults.add(Drop(), nth=1)
    taken = [faults.take("POST", "/x", {}) for _ in range(3)]
    assert taken == [Answer(502), Drop(), None]
    faults.clear()
    assert befallen(faults) == []


@pytest.mark.parametrize(
    ("rule", "effect"),
    [
        ({"effect": "rate_limit", "retry_after": 3}, RateLimit(3)),
        ({"effect": "reset", "when": "middle"}, Reset("middle")),
        ({"effect": "hang", "applies": True}, Hang(applies=True)),
        ({"effect": "answer", "status": 503, "body": {"a": 1}}, Answer(503, {"a": 1})),
        ({"effect": "drip", "size": 2, "every": 0.5}, Drip(2, 0.5)),
    ],
)
def test_rules_have_a_json_form(rule: dict[str, Any], effect: Effect) -> None:
    faults = Faults()
    faults.add_json({**rule, "path": "send", "nth": 2})
    taken = [faults.take("POST", path, {}) for path in ("send", "edit", "send", "send")]
    assert taken == [None, None, effect, None]
