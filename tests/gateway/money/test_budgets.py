"""Budgets over a whole gateway: what is refused, what it says, and what a crash leaves."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import ProviderFailed, ProviderUnavailable
from gateway.messages import Place
from gateway.settings import AgentSettings
from gateway.transcript import Usage
from tests.fakes.gateway import FakeGateway, Make, gateways
from tests.fakes.provider import FakeProvider, Gate, calls, says

GROUP = Place("-1")
REFUSED = "does not allow another answer"
USAGE = Usage(600, 400)
"""What each answer costs here: 1,000 tokens."""


@pytest.fixture
async def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    async with gateways(tmp_path, monkeypatch) as made:
        yield made


def thrifty(
    make: Make, model: FakeProvider | None = None, *, tools: Sequence[str] = (), **budgets: Any
) -> FakeGateway:
    agent = AgentSettings.model_validate({
        "provider": "fake",
        "model": "big",
        "models": ["small"],
        "max_output_tokens": 1_000,
        "tools": tools,
        "prices": {"big": {"input": 1.0, "output": 2.0}},
    })
    answering = model or FakeProvider(otherwise=lambda _: says("Well!", usage=USAGE))
    return make(model=answering, agents={"main": agent}, budgets=budgets)


async def test_t66_a_hundred_turns_at_once_spend_the_cap_and_nothing_more(make: Make) -> None:
    served = thrifty(make, total_day={"tokens": 20_000})
    async with served.running():
        people = [f"user{number}" for number in range(100)]
        await asyncio.gather(*(served.writes("hello", user) for user in people))
        await served.until(lambda: all(served.texts(user) for user in people))
        await served.idle()
        answered = [user for user in people if "Well!" in served.texts(user)]
        refused = [user for user in people if REFUSED in served.texts(user)[-1]]
        assert len(answered) + len(refused) == 100
        assert len(served.model.requests) == len(answered)
        assert 10 <= len(answered) <= 20
        ((spent,),) = served.rows("select sum(input_tokens + output_tokens) from usage")
        assert spent == 1_000 * len(answered)
        assert spent <= 20_000
        assert served.rows("select * from holds") == []


async def test_t66_the_refusal_says_when_the_budget_opens_and_it_does(make: Make) -> None:
    served = thrifty(make, per_person_day={"tokens": 2_500})
    async with served.running():
        await served.asks("one")
        await served.asks("two")
        await served.asks("three", "Your budget for today does not allow another answer.")
        assert "It opens again on Saturday, 16 January at 00:00 UTC." in served.texts()[-1]
        await served.asks("hello", user="bob")
        await served.clock.advance(86_400)
        await served.asks("four")
        assert len(served.model.requests) == 4


async def test_t66_money_is_counted_where_prices_are_known(make: Make) -> None:
    served = thrifty(make, per_person_month={"money": 0.004})
    async with served.running():
        for words in ("one", "two"):
            await served.asks(words)
        await served.asks("three", "Your budget for this month does not allow")
        assert served.rows("select micros from usage") == [(1_400,), (1_400,)]


async def test_t66_a_place_has_a_budget_of_its_own(make: Make) -> None:
    served = thrifty(make, per_place_day={"tokens": 2_500})
    async with served.running():
        for user in ("ann", "bob", "eve"):
            await served.writes("hello", user, place=GROUP)
        await served.until(lambda: len(served.texts("-1")) == 3)
        assert "The budget of this place for today" in served.texts("-1")[-1]
        await served.asks("hello")
        rows = served.rows("select place, agent, model from usage order by number")
        assert rows == [("fake:-1", "main", "big")] * 2 + [(None, "main", "big")]


async def test_t66_a_crash_between_holding_and_spending_is_settled_by_time(make: Make) -> None:
    gate = Gate()
    model = FakeProvider([gate], otherwise=lambda _: says("Well!", usage=USAGE))
    served = thrifty(make, model, per_person_day={"tokens": 3_000})
    await served.start()
    await served.writes("one")
    await served.until(gate.reached.is_set)
    assert len(served.rows("select * from holds")) == 1
    await served.kill()
    await served.start()
    # The turn is gone on with: there is room for it beside what its first attempt holds.
    await served.reads("Well!")
    await served.asks("two", REFUSED)
    await served.clock.advance(1_900)
    await served.asks("three")
    await served.stop()


async def test_t66_a_failed_call_holds_nothing_and_costs_nothing(make: Make) -> None:
    model = FakeProvider([ProviderFailed("The key is bad.")], says("Well!", usage=USAGE))
    served = thrifty(make, model, per_person_day={"tokens": 2_500})
    async with served.running():
        await served.asks("one", "The key is bad.")
        assert served.rows("select * from holds") == served.rows("select * from usage") == []
        await served.asks("two")


async def test_t66_who_stops_an_answer_pays_for_what_was_written(make: Make) -> None:
    gate = Gate()
    text = "word " * 100
    served = thrifty(
        make, FakeProvider([*says(text)[:-1], gate]), per_person_day={"tokens": 100_000}
    )
    async with served.running():
        await served.writes("a story")
        await served.until(gate.reached.is_set)
        await served.writes("/stop")
        await served.reads("Stopped.")
        await served.idle()
        ((output, micros),) = served.rows("select output_tokens, micros from usage")
        assert output == 125
        assert micros > 250
        assert served.rows("select * from holds") == []


async def test_t66_a_turn_of_many_steps_stops_where_the_money_does(make: Make) -> None:
    wanted = calls(("c1", "now", {}), text="I look. ", usage=USAGE)
    served = thrifty(make, FakeProvider(wanted), per_person_day={"tokens": 2_000}, tools=["now"])
    async with served.running():
        await served.writes("what time is it?")
        await served.reads(REFUSED)
        await served.idle()
        assert "I look." in served.texts()[-1]
        assert served.rows("select count(*) from usage") == [(1,)]
        assert served.rows("select * from holds") == []


async def test_a_call_that_is_tried_again_is_held_for_once(make: Make) -> None:
    model = FakeProvider([ProviderUnavailable("down")], says("Well!", usage=USAGE))
    served = thrifty(make, model, per_person_day={"tokens": 2_500})
    async with served.running():
        await served.asks("one")
        assert served.rows("select count(*) from usage") == [(1,)]


async def test_without_budgets_nothing_is_held_and_all_is_counted(make: Make) -> None:
    gate = Gate()
    served = thrifty(make, FakeProvider([gate, *says("Well!", usage=USAGE)]))
    async with served.running():
        await served.writes("one")
        await served.until(gate.reached.is_set)
        assert served.rows("select * from holds") == []
        gate.open()
        await served.reads("Well!")
        await served.idle()
        assert served.rows("select micros from usage") == [(1_400,)]


async def test_folding_is_paid_by_who_asks_for_it(make: Make) -> None:
    model = FakeProvider(otherwise=lambda _: says("word " * 300, usage=USAGE))
    served = thrifty(make, model, per_person_day={"tokens": 200_000})
    async with served.running():
        for number in range(14):
            await served.asks(f"{number} " + "word " * 300, "word")
        await served.asks("/compact", "The originals are kept.")
        rows = served.rows("select person is null, agent, model from usage order by number desc")
        assert rows[0] == (0, "main", "big")
        assert served.rows("select * from holds") == []


# What people see.


async def test_usage_tells_what_is_left(make: Make) -> None:
    served = thrifty(make, per_person_day={"tokens": 5_000}, total_month={"money": 1.0})
    async with served.running():
        await served.asks("one")
        await served.asks("/usage", "- Your budget for today: 4,000 of 5,000 tokens left")
        shown = served.texts()[-1]
        assert "| big | 1 | 600 | 0 | 400 | 0.0014 USD |" in shown
        assert "- My budget for all conversations, this month: 0.9986 USD of 1.00 USD" in shown
        assert "Everybody" not in shown


async def test_what_has_no_price_is_not_told_to_cost_nothing(make: Make) -> None:
    served = thrifty(make)
    async with served.running():
        await served.asks("one")
        await served.asks("/model small", "I use")
        await served.asks("two")
        await served.asks("/usage", "| small | 1 | 600 | 0 | 400 | - |")
        assert "| big | 1 | 600 | 0 | 400 | 0.0014 USD |" in served.texts()[-1]


async def test_an_owner_sees_everybodys_where_nobody_else_reads_it(make: Make) -> None:
    served = thrifty(make)
    async with served.running():
        await served.asks("hello", user="ann")
        await served.writes("hello", "bob", place=GROUP)
        await served.reads("Well!", "-1")
        await served.asks("/usage", "| `fake:ann` | 1 | 1,000 | 0.0014 USD |", user="owner")
        assert "| `fake:-1` | 1 | 1,000 | 0.0014 USD |" in served.texts("owner")[-1]
        await served.writes("/usage", "owner", place=GROUP)
        await served.reads("**Last 24 hours**: nothing", "-1")
        assert "Everybody" not in served.texts("-1")[-1]
