"""Whatever is held, spent, released or left behind, in any order: no cap is ever passed."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.contracts.money import Amount, Cap, Payer, Scope
from gateway.ids import AgentId, HoldId, PersonId, SessionId
from gateway.store.store import SqlStore
from gateway.transcript import Usage
from tests.fakes.clock import FakeClock

LASTS = 60.0
PEOPLE = [Payer(AgentId("main"), PersonId(name), place) for name in "ab" for place in (None, "t:1")]

steps = st.lists(
    st.tuples(
        st.sampled_from(["hold", "hold", "spend", "release", "wait", "forget"]),
        st.integers(0, 3),
        st.integers(1, 60),
    ),
    max_size=40,
)


@settings(max_examples=40, deadline=None)
@given(steps=steps)
async def test_t66_no_cap_is_ever_passed(steps: list[tuple[str, int, int]]) -> None:
    clock = FakeClock()
    with tempfile.TemporaryDirectory() as folder:
        store = SqlStore(f"sqlite:///{Path(folder) / 'parley.db'}", clock=clock)
        await store.open()
        caps = [
            Cap(scope, "day", clock.now(), clock.now() + 1e6, most, None)
            for scope, most in ((Scope.PERSON, 100), (Scope.PLACE, 90), (Scope.TOTAL, 150))
        ]
        held: list[tuple[HoldId, Payer, int]] = []
        for action, which, tokens in steps:
            payer = PEOPLE[which]
            asked = [cap for cap in caps if cap.scope is not Scope.PLACE or payer.place]
            if action == "hold":
                found = await store.holds.hold(payer, Amount(tokens), asked, lasts=LASTS)
                if not isinstance(found, Cap):
                    held.append((found, payer, tokens))
            elif action == "wait":
                # Not so long that a call which may still end loses its hold.
                await clock.advance(0.5)
            elif held:
                hold, owner, most = held.pop(which % len(held))
                if action == "spend":
                    usage = Usage(min(tokens, most))
                    await store.usage.record(SessionId("s"), owner, "big", usage, 0, hold)
                elif action == "release":
                    await store.holds.release(hold)
            for one in PEOPLE:
                for cap in caps:
                    used = await store.holds.used(cap, one)
                    assert cap.tokens is not None
                    assert used.tokens <= cap.tokens
        await store.close()
