"""Approvals over a whole gateway: what is run, for whom, once, and with which arguments."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from gateway.contracts.approvals import Grant
from gateway.contracts.hook import Hook, RunInfo
from gateway.contracts.tool import Effect, ToolContext
from gateway.hooks.chain import HookChain
from gateway.ids import MessageId
from gateway.messages import Origin, Place
from gateway.settings import AgentSettings
from gateway.tools.executor import NOT_ALLOWED, ToolExecutor
from gateway.transcript import ToolCall, ToolResultEntry
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import FakeGateway, Make, gateways
from tests.fakes.provider import FakeProvider, Step, calls, says
from tests.fakes.tools import make_tool
from tests.fakes.turns import RUN, a_context

HERE = Place("-1")
WRITE: dict[str, Any] = {"path": "data/a.txt", "content": "hello"}
QUESTION = "May I run `write_file` with this?"
DENIED = "The person did not allow this, so it was not run."


@pytest.fixture
async def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    async with gateways(tmp_path, monkeypatch) as made:
        yield made


def wanting(call_id: str = "c1", **arguments: Any) -> Step:
    return calls((call_id, "write_file", WRITE | arguments))


def asking(make: Make, *script: Step) -> FakeGateway:
    agent = AgentSettings(provider="fake", model="big", approvals=("write_file",))
    model = FakeProvider(*script, otherwise=lambda _: says("Done."))
    access = {
        "direct_messages": "open",
        "groups": "open",
        "allowlist": ["fake:ann", "fake:bob"],
    }
    return make(model=model, agents={"main": agent}, access=access)


async def until_asked(served: FakeGateway, place: str = "ann", times: int = 1) -> tuple[str, str]:
    """Wait for a question; return the message it is in, and its name."""

    def questions() -> list[tuple[MessageId, str]]:
        return [
            (name, shown.choices[0].value.removeprefix("/allow "))
            for name, shown in served.bot.messages.items()
            if shown.where[0] == place and QUESTION in shown.text
        ]

    await served.until(lambda: len(questions()) == times)
    return questions()[-1]


async def presses(served: FakeGateway, text: str, on: str, user: str = "ann", **more: Any) -> None:
    await served.writes(text, user, origin=Origin.PRESSED, pressed_on=MessageId(on), **more)


def written(served: FakeGateway) -> list[str]:
    """Return what the tool has written."""
    return [path.read_text() for path in served.settings.data_dir.glob("workspaces/**/a.txt")]


def results(served: FakeGateway) -> list[str]:
    entries = served.model.requests[-1].entries
    return [entry.text for entry in entries if isinstance(entry, ToolResultEntry)]


async def test_t18_nothing_runs_before_it_is_allowed_and_then_it_runs_once(make: Make) -> None:
    served = asking(make, wanting())
    async with served.running():
        await served.writes("write it")
        message, name = await until_asked(served)
        shown = served.bot.messages[MessageId(message)]
        assert [choice.label for choice in shown.choices] == ["Allow", "Deny"]
        assert '"content": "hello"' in shown.text
        assert written(served) == []
        await presses(served, f"/allow {name}", message)
        await served.reads("Done.")
        assert written(served) == ["hello"]
        assert served.rows("select state from approvals") == [("allowed",)]


async def test_t18_a_no_is_told_to_the_model_and_nothing_runs(make: Make) -> None:
    served = asking(make, wanting())
    async with served.running():
        await served.writes("write it")
        message, name = await until_asked(served)
        await presses(served, f"/deny {name}", message)
        await served.reads("Done.")
        assert written(served) == []
        assert results(served)[0].startswith(DENIED)


async def test_t17_no_answer_in_ten_minutes_is_a_no_and_a_late_one_is_refused(make: Make) -> None:
    served = asking(make, wanting())
    async with served.running():
        await served.writes("write it")
        message, name = await until_asked(served)
        await served.clock.advance(599)
        assert served.model.requests[1:] == []
        await served.clock.advance(2)
        await served.reads("Done.")
        await presses(served, f"/allow {name}", message)
        await served.reads("There is nothing to answer any more")
        assert written(served) == []
        assert results(served)[0].startswith(DENIED)


async def test_t17_a_second_press_is_refused(make: Make) -> None:
    served = asking(make, wanting(), wanting("c2"))
    async with served.running():
        await served.writes("write it")
        message, name = await until_asked(served)
        await presses(served, f"/deny {name}", message)
        await until_asked(served, times=2)
        await presses(served, f"/allow {name}", message)
        await served.reads("There is nothing to answer any more")
        assert written(served) == []


@pytest.mark.parametrize("is_pressed", [True, False])
async def test_t17_anothers_answer_is_refused(make: Make, is_pressed: bool) -> None:
    served = asking(make, wanting())
    async with served.running():
        await served.writes("write it", place=HERE)
        message, name = await until_asked(served, "-1")
        if is_pressed:
            await presses(served, f"/allow {name}", message, "bob", place=HERE)
        else:
            await served.writes(f"/allow {name}", "bob", place=HERE)
            await served.reads("This was asked of somebody else.", "-1")
        await served.passes(5.0)
        assert written(served) == []
        assert len(served.model.requests) == 1
        await presses(served, f"/allow {name}", message, place=HERE)
        await served.reads("Done.", "-1")
        assert written(served) == ["hello"]


async def test_t17_an_answer_counts_only_where_it_was_asked(make: Make) -> None:
    served = asking(make, wanting())
    async with served.running():
        await served.writes("write it", place=HERE)
        _, name = await until_asked(served, "-1")
        await served.writes(f"/allow {name}")
        await served.reads("This was asked of somebody else.")
        assert written(served) == []
        await served.writes("/stop", place=HERE)
        await served.idle()


async def test_t18_changed_arguments_ask_again(make: Make) -> None:
    served = asking(make, wanting(), wanting("c2", content="other"))
    async with served.running():
        await served.writes("write it")
        message, name = await until_asked(served)
        await presses(served, f"/allow {name}", message)
        await until_asked(served, times=2)
        assert written(served) == ["hello"]
        await served.writes("/deny")
        await served.reads("Done.")
        assert written(served) == ["hello"]


async def test_the_same_call_asks_again_too(make: Make) -> None:
    served = asking(make, wanting(), wanting("c2"))
    async with served.running():
        await served.writes("write it")
        await until_asked(served)
        await served.writes("/allow")
        await until_asked(served, times=2)
        await served.writes("/allow")
        await served.reads("Done.")


async def test_after_a_crash_a_pending_question_is_asked_anew(make: Make) -> None:
    served = asking(make, wanting())
    await served.start()
    await served.writes("write it")
    old_message, old = await until_asked(served)
    await served.kill()
    await served.start()
    message, name = await until_asked(served, times=2)
    await presses(served, f"/allow {old}", old_message)
    await served.reads("There is nothing to answer any more")
    assert written(served) == []
    await presses(served, f"/allow {name}", message)
    await served.reads("Done.")
    assert written(served) == ["hello"]
    await served.stop()


async def test_a_turn_that_waits_can_be_stopped_and_its_question_is_void(make: Make) -> None:
    served = asking(make, wanting())
    async with served.running():
        await served.writes("write it")
        message, name = await until_asked(served)
        await served.writes("/stop")
        await served.reads("Stopped.")
        await presses(served, f"/allow {name}", message)
        await served.reads("There is nothing to answer any more")
        assert written(served) == []
        assert served.rows("select state from approvals") == [("dropped",)]


async def test_what_the_speaker_may_not_use_is_not_asked_for(make: Make) -> None:
    served = asking(make, wanting())
    async with served.running():
        await served.writes("write it", "stranger", place=HERE)
        await served.reads("Done.", "-1")
        assert results(served) == ["There is no tool 'write_file'."]


async def test_long_arguments_say_how_much_is_not_shown(make: Make) -> None:
    served = asking(make, wanting(content="``` " + "x" * 3_000))
    async with served.running():
        await served.writes("write it")
        await served.until(lambda: "more characters are not shown." in "".join(served.texts()))
        await served.writes("/deny")
        await served.reads("Done.")


class Meddler(Hook):
    """Changes what a person has allowed."""

    @override
    async def before_tool(
        self, run: RunInfo, tool: str, arguments: dict[str, Any], context: ToolContext
    ) -> dict[str, Any]:
        return {**arguments, "path": "elsewhere"}


async def test_t18_leave_is_for_the_arguments_that_run_and_for_one_run(tmp_path: Path) -> None:
    clock = FakeClock()
    tool = make_tool("mend", effect=Effect.EFFECT)

    async def run(grant: Grant | None, *hooks: Hook) -> str:
        executor = ToolExecutor([tool], HookChain(hooks, clock), clock, asked_first=["mend"])
        context = a_context(tmp_path, clock, grant=grant)
        call = ToolCall("c", "mend", {"path": "a"})
        return (await executor.run(call, context, RUN, ["mend"])).text

    assert await run(None) == NOT_ALLOWED
    assert await run(Grant("mend", {"path": "b"})) == NOT_ALLOWED
    assert await run(Grant("other", {"path": "a"})) == NOT_ALLOWED
    assert await run(Grant("mend", {"path": "a"}), Meddler()) == NOT_ALLOWED
    grant = Grant("mend", {"path": "a"})
    assert await run(grant) == "done"
    assert await run(grant) == NOT_ALLOWED
    assert len(tool.runs) == 1
