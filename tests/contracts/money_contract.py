"""What every store promises of money; subclass each class once, as with `store_contract`."""

import asyncio

import pytest

from gateway.contracts.money import Amount, Cap, Payer, Scope, UsageShare
from gateway.contracts.stores import Store
from gateway.ids import AgentId, HoldId, PersonId, SessionId
from gateway.transcript import Usage
from tests.fakes.clock import FakeClock

AGENT = AgentId("main")
ANN, BOB = PersonId("p_ann"), PersonId("p_bob")
HERE = "telegram:-100"
SESSION = SessionId("s")


def payer(person: PersonId = ANN, place: str | None = None) -> Payer:
    return Payer(AGENT, person, place)


def cap(clock: FakeClock, scope: Scope = Scope.PERSON, **most: int | None) -> Cap:
    bounds: dict[str, int | None] = {"tokens": None, "micros": None}
    return Cap(scope, "day", clock.now() - 100, clock.now() + 86_400, **(bounds | most))


async def spend(store: Store, who: Payer, tokens: int, *, micros: int = 0) -> None:
    await store.usage.record(SESSION, who, "big", Usage(tokens - 1, 1), micros, None)


class HoldsContract:
    async def test_t66_a_hundred_at_once_hold_no_more_than_the_cap(
        self, store: Store, clock: FakeClock
    ) -> None:
        bound = cap(clock, tokens=1_000)
        held = await asyncio.gather(
            *(store.holds.hold(payer(), Amount(30), [bound], lasts=60) for _ in range(100))
        )
        assert sum(not isinstance(one, Cap) for one in held) == 33
        assert await store.holds.used(bound, payer()) == Amount(990)

    async def test_t66_what_was_spent_counts_and_what_is_released_does_not(
        self, store: Store, clock: FakeClock
    ) -> None:
        bound = cap(clock, tokens=100)
        await spend(store, payer(), 60)
        held = await store.holds.hold(payer(), Amount(40), [bound], lasts=60)
        assert not isinstance(held, Cap)
        assert await store.holds.hold(payer(), Amount(1), [bound], lasts=60) == bound
        await store.holds.release(held)
        assert not isinstance(await store.holds.hold(payer(), Amount(40), [bound], lasts=60), Cap)

    async def test_t66_spending_ends_the_hold_in_the_same_step(
        self, store: Store, clock: FakeClock
    ) -> None:
        bound = cap(clock, tokens=100)
        held = await store.holds.hold(payer(), Amount(100), [bound], lasts=60)
        assert not isinstance(held, Cap)
        await store.usage.record(SESSION, payer(), "big", Usage(7, 3), 0, held)
        assert await store.holds.used(bound, payer()) == Amount(10)

    async def test_t66_an_entrys_usage_ends_its_hold(self, store: Store, clock: FakeClock) -> None:
        bound = cap(clock, tokens=100)
        session = await store.sessions.resolve(AGENT, "main:telegram:42:dm", ANN)
        held = await store.holds.hold(payer(), Amount(100), [bound], lasts=60)
        assert not isinstance(held, Cap)
        await store.transcript.append(
            session.id, (), usage=Usage(7, 3), model="big", micros=5, hold=held
        )
        assert await store.holds.used(bound, payer()) == Amount(10, 5)

    async def test_t66_a_hold_that_a_crash_has_left_is_void_in_time(
        self, store: Store, clock: FakeClock
    ) -> None:
        bound = cap(clock, tokens=100)
        await store.holds.hold(payer(), Amount(100), [bound], lasts=60)
        await clock.advance(59)
        assert await store.holds.hold(payer(), Amount(100), [bound], lasts=60) == bound
        await clock.advance(1)
        assert not isinstance(await store.holds.hold(payer(), Amount(100), [bound], lasts=60), Cap)

    @pytest.mark.parametrize(
        ("scope", "counted"), [(Scope.PERSON, 70), (Scope.PLACE, 50), (Scope.TOTAL, 90)]
    )
    async def test_t66_a_cap_counts_its_own_scope(
        self, store: Store, clock: FakeClock, scope: Scope, counted: int
    ) -> None:
        await spend(store, payer(), 40)
        await spend(store, payer(place=HERE), 30)
        await spend(store, payer(BOB, HERE), 20)
        bound = cap(clock, scope, tokens=1_000)
        assert await store.holds.used(bound, payer(place=HERE)) == Amount(counted)

    async def test_t66_what_was_spent_before_its_span_does_not_count(
        self, store: Store, clock: FakeClock
    ) -> None:
        await spend(store, payer(), 40)
        await clock.advance(200)
        assert await store.holds.used(cap(clock, tokens=1), payer()) == Amount()

    async def test_t66_each_cap_is_asked_in_tokens_and_in_money(
        self, store: Store, clock: FakeClock
    ) -> None:
        wide, narrow = cap(clock, tokens=1_000), cap(clock, Scope.TOTAL, tokens=1_000, micros=10)
        held = await store.holds.hold(payer(), Amount(1, 11), [wide, narrow], lasts=60)
        assert held == narrow
        assert await store.holds.used(wide, payer()) == Amount()

    async def test_releasing_what_is_gone_does_nothing(self, store: Store) -> None:
        await store.holds.release(HoldId("gone"))


class UsageContract:
    async def test_everybodys_shares_come_greatest_first(self, store: Store) -> None:
        await spend(store, payer(), 10, micros=1)
        await spend(store, payer(BOB, HERE), 50, micros=2)
        await spend(store, payer(BOB), 5)
        assert await store.usage.shares("person", 0.0) == [
            UsageShare(BOB, 2, Usage(53, 2), 2),
            UsageShare(ANN, 1, Usage(9, 1), 1),
        ]
        assert await store.usage.shares("place", 0.0) == [
            UsageShare(HERE, 1, Usage(49, 1), 2),
            UsageShare("", 2, Usage(13, 2), 1),
        ]
        assert await store.usage.shares("agent", 0.0) == [UsageShare(AGENT, 3, Usage(62, 3), 3)]
        assert await store.usage.shares("model", 0.0) == [UsageShare("big", 3, Usage(62, 3), 3)]
