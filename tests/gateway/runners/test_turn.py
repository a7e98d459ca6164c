"""A turn goes from a question to an answer, by way of tools, and goes on where it was cut."""

from pathlib import Path

import pytest

from gateway.contracts.provider import EndPart, TextPart, ThinkingPart
from gateway.contracts.runner import TurnOptions
from gateway.contracts.tool import Effect, ToolOutput
from gateway.errors import LaneLost, ProviderFailed
from gateway.events import (
    EntryRecorded,
    FileReady,
    ImageReady,
    NoticeAdded,
    TextDelta,
    ToolFailed,
    ToolFinished,
    ToolStarted,
)
from gateway.ids import TurnId
from gateway.messages import OutgoingFile
from gateway.transcript import (
    AssistantEntry,
    Entry,
    FileBlock,
    TextBlock,
    ToolCall,
    ToolResultEntry,
    Usage,
    UserEntry,
)
from tests.fakes.provider import USAGE, Step, calls, says
from tests.fakes.tools import make_tool
from tests.fakes.turns import a_turn
from tests.gateway.runners.stage import ASKED, SETTINGS, Stage, asks, shown, told

DONE = ToolResultEntry("c1", "look", "done")


async def test_an_answer_is_streamed_and_then_kept(tmp_path: Path) -> None:
    stage = Stage(tmp_path, says("Good ", "morning"))
    assert await stage.chat() == [
        TextDelta(text="Good "),
        TextDelta(text="morning"),
        EntryRecorded(entry=AssistantEntry("Good morning"), usage=USAGE, model="big"),
    ]


async def test_the_model_gets_prompt_history_message_and_tools(tmp_path: Path) -> None:
    tools = [make_tool("write"), make_tool("look")]
    stage = Stage(tmp_path, says("ok"), tools=tools)
    history: list[Entry] = [ASKED, AssistantEntry("noon")]
    content = (TextBlock("and here?"), FileBlock("assets/a.png", "a.png", "image/png", 3))
    await stage.chat(content, history, speaker="Ann")
    (request,) = stage.provider.requests
    assert (request.model, request.system, request.session) == ("big", "be kind", "session_1")
    assert request.entries == (*history, UserEntry(content, speaker="Ann"))
    assert [tool.name for tool in request.tools] == ["look", "write"]
    assert request.tools[0].parameters == tools[1].parameters


async def test_the_model_reads_files_of_the_workspace_only(tmp_path: Path) -> None:
    stage = Stage(tmp_path, says("ok"))
    await stage.chat()
    (tmp_path / "secret").write_text("canary")
    root = tmp_path / "workspaces/main/users/person_1"
    (root / "assets/a.txt").write_text("mine")
    (root / "assets/link").symlink_to(tmp_path / "secret")
    read_file = stage.provider.requests[0].read_file
    assert read_file("assets/a.txt") == b"mine"
    for path in ("assets/gone", "assets/link", "../../../../secret", str(tmp_path / "secret")):
        with pytest.raises(OSError, match=r".+"):
            read_file(path)


async def test_thoughts_are_never_shown_or_kept(tmp_path: Path) -> None:
    step: Step = [
        ThinkingPart("hmm"),
        TextPart("yes"),
        ThinkingPart("sure"),
        EndPart("finished", USAGE),
    ]
    stage = Stage(tmp_path, step)
    assert shown(await stage.chat()) == "yes"
    assert stage.kept == [AssistantEntry("yes")]


async def test_a_tool_is_run_and_the_model_is_told(tmp_path: Path) -> None:
    look = make_tool("look", "it is noon")
    wanted = calls(("c1", "look", {"path": "a.txt"}), text="I look. ", usage=Usage(1, 2))
    stage = Stage(tmp_path, wanted, says("Noon"), tools=[look])
    call = ToolCall("c1", "look", {"path": "a.txt"})
    assert await stage.chat() == [
        TextDelta(text="I look. "),
        EntryRecorded(entry=AssistantEntry("I look. ", (call,)), usage=Usage(1, 2), model="big"),
        ToolStarted(call_id="c1", tool="look", summary="a.txt"),
        EntryRecorded(entry=ToolResultEntry("c1", "look", "it is noon")),
        ToolFinished(call_id="c1", tool="look", summary="it is noon", seconds=0.0),
        TextDelta(text="Noon"),
        EntryRecorded(entry=AssistantEntry("Noon"), usage=USAGE, model="big"),
    ]
    assert stage.provider.requests[1].entries == (UserEntry("hi"), *stage.kept[:2])


async def test_a_failed_tool_is_told_to_the_model_and_shown(tmp_path: Path) -> None:
    bad = make_tool("look", ToolOutput("it is dark\nvery dark", is_error=True))
    stage = Stage(tmp_path, calls(("c1", "look", {})), says("Sorry"), tools=[bad])
    events = await stage.chat()
    assert ToolFailed(call_id="c1", tool="look", summary="it is dark", seconds=0.0) in events
    assert stage.kept[1] == ToolResultEntry("c1", "look", "it is dark\nvery dark", is_error=True)


async def test_r4_nothing_runs_before_the_calls_are_kept(tmp_path: Path) -> None:
    look = make_tool("look")
    stage = Stage(tmp_path, calls(("c1", "look", {})), says("ok"), tools=[look])
    chatting = (await stage.runner()).chat([], "hi", TurnOptions(turn=a_turn()))
    runs_when_kept = [
        (len(look.runs), len(stage.provider.requests))
        async for event in chatting
        if isinstance(event, EntryRecorded)
    ]
    assert runs_when_kept == [(0, 1), (1, 1), (1, 2)]


async def test_files_are_kept_before_they_are_handed_over(tmp_path: Path) -> None:
    image = OutgoingFile(tmp_path / "a", "a.png", "image/png", is_image=True)
    file = OutgoingFile(tmp_path / "b", "b.txt", "text/plain")
    send = make_tool("send", ToolOutput("sent", files=(image, file)))
    stage = Stage(tmp_path, calls(("c1", "send", {})), says("there"), tools=[send])
    events = await stage.chat()
    kept = EntryRecorded(entry=ToolResultEntry("c1", "send", "sent", files=(image, file)))
    start = events.index(kept)
    assert events[start + 2 : start + 4] == [
        ImageReady(file=image, call_id="c1"),
        FileReady(file=file, call_id="c1"),
    ]


async def test_an_answer_of_no_words_after_tools_is_an_end(tmp_path: Path) -> None:
    stage = Stage(tmp_path, calls(("c1", "look", {})), says(), tools=[make_tool("look")])
    events = await stage.chat()
    assert shown(events) == ""
    assert stage.kept[-1] == AssistantEntry("")


async def test_t22_a_hidden_tool_is_not_offered_and_not_run(tmp_path: Path) -> None:
    look, write = make_tool("look"), make_tool("write", effect=Effect.EFFECT)
    stage = Stage(tmp_path, calls(("c1", "write", {})), says("no"), tools=[look, write])
    events = await stage.chat(excluded_tools=frozenset({"write"}))
    assert [tool.name for tool in stage.provider.requests[0].tools] == ["look"]
    assert write.runs == []
    assert "ToolFailed c1" in told(events)


async def test_what_one_turn_excludes_the_next_has_again(tmp_path: Path) -> None:
    stage = Stage(tmp_path, says("a"), says("b"), tools=[make_tool("look")])
    await stage.chat(excluded_tools=frozenset({"look"}), system_override="be brief")
    await stage.chat()
    assert [(one.system, len(one.tools)) for one in stage.provider.requests] == [
        ("be brief", 0),
        ("be kind", 1),
    ]


async def test_t19_a_model_that_calls_everything_gets_nothing_it_was_not_given(
    tmp_path: Path,
) -> None:
    look = make_tool("look")
    wanted = ["bash", "write_file", "send_file", "__import__", "look\n", "Look", ""]
    step = calls(*((f"c{number}", name, {"a": 1}) for number, name in enumerate(wanted)))
    stage = Stage(tmp_path, step, says("no"), tools=[look])
    events = await stage.chat()
    assert look.runs == []
    assert sum(isinstance(event, ToolFailed) for event in events) == len(wanted)


async def test_t29_a_looping_model_stops_with_a_notice(tmp_path: Path) -> None:
    look = make_tool("look")
    forever = [calls((f"c{number}", "look", {})) for number in range(99)]
    stage = Stage(tmp_path, *forever, tools=[look])
    events = await stage.chat()
    assert events[-1] == NoticeAdded(words="I stopped after 5 steps. Write to me to go on.")
    assert (len(stage.provider.requests), len(look.runs)) == (5, 5)


async def test_t29_a_restart_gives_a_looping_model_no_further_steps(tmp_path: Path) -> None:
    look = make_tool("look")
    forever = [calls((f"d{number}", "look", {})) for number in range(99)]
    history: list[Entry] = [ASKED]
    for number in range(4):
        history += [asks((f"c{number}", "look")), ToolResultEntry(f"c{number}", "look", "done")]
    stage = Stage(tmp_path, *forever, tools=[look])
    events = await stage.chat(None, history)
    assert isinstance(events[-1], NoticeAdded)
    assert (len(stage.provider.requests), len(look.runs)) == (1, 1)


async def test_a_long_answer_that_was_cut_is_kept_with_a_word(tmp_path: Path) -> None:
    stage = Stage(tmp_path, [TextPart("once upon"), EndPart("length", USAGE)])
    assert (await stage.chat())[1:] == [
        EntryRecorded(entry=AssistantEntry("once upon"), usage=USAGE, model="big"),
        NoticeAdded(words="The answer was cut at the length limit."),
    ]


@pytest.mark.parametrize("reason", ["length", "refused"])
async def test_an_end_without_an_answer_is_a_failure(tmp_path: Path, reason: str) -> None:
    stage = Stage(tmp_path, [EndPart(reason, USAGE)])  # type: ignore[arg-type]  # one of its words
    with pytest.raises(ProviderFailed, match="The model "):
        await stage.chat()
    assert stage.kept == []


async def test_each_call_of_a_turn_has_an_id_of_its_own(tmp_path: Path) -> None:
    look = make_tool("look")
    script = [calls(("c1", "look", {}), ("c1", "look", {}), ("", "look", {})), says("ok")]
    stage = Stage(tmp_path, *script, tools=[look])
    await stage.chat("hi", [asks(("c1", "look")), DONE])
    (asked,) = [entry for entry in stage.kept if isinstance(entry, AssistantEntry) and entry.calls]
    ids = [call.call_id for call in asked.calls]
    assert ids == ["call_new1", "call_new2", "call_new3"]
    assert [run.context.call_id for run in look.runs] == ids
    assert [entry.call_id for entry in stage.kept if isinstance(entry, ToolResultEntry)] == ids


# Going on after a restart.


async def test_r4_a_whole_answer_is_shown_without_asking_again(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    assert await stage.chat(None, [ASKED, AssistantEntry("noon")]) == [TextDelta(text="noon")]
    assert (stage.provider.requests, stage.kept) == ([], [])


async def test_r4_finished_calls_are_not_repeated(tmp_path: Path) -> None:
    look = make_tool("look")
    stage = Stage(tmp_path, says("noon"), tools=[look])
    history: list[Entry] = [ASKED, asks(("c1", "look")), DONE]
    assert shown(await stage.chat(None, history)) == "noon"
    assert look.runs == []
    assert stage.provider.requests[0].entries == tuple(history)


async def test_a_turn_cut_before_its_first_step_begins_anew(tmp_path: Path) -> None:
    stage = Stage(tmp_path, says("noon"))
    assert shown(await stage.chat(None, [AssistantEntry("earlier"), ASKED])) == "noon"


@pytest.mark.parametrize("effect", [Effect.READ, Effect.IDEMPOTENT])
async def test_r5_a_cut_call_that_is_safe_runs_again_with_its_key(
    tmp_path: Path, effect: Effect
) -> None:
    look = make_tool("look", effect=effect)
    stage = Stage(tmp_path, says("noon"), tools=[look])
    events = await stage.chat(None, [ASKED, asks(("c1", "look"))])
    assert told(events) == ["ToolStarted c1", "ToolFinished c1"]
    (run,) = look.runs
    assert (run.context.turn, run.context.call_id) == ("turn_1", "c1")
    assert stage.kept == [DONE, AssistantEntry("noon")]


async def test_r5_an_effect_that_had_begun_is_never_run_again(tmp_path: Path) -> None:
    pay = make_tool("pay", effect=Effect.EFFECT)
    stage = Stage(tmp_path, says("I do not know"), tools=[pay])
    stage.steps.started[TurnId("turn_1")] = ["c1"]
    events = await stage.chat(None, [ASKED, asks(("c1", "pay"))])
    assert pay.runs == []
    assert stage.steps.started == {"turn_1": ["c1"]}
    assert told(events) == ["ToolStarted c1", "ToolFailed c1"]
    unknown = stage.kept[0]
    assert isinstance(unknown, ToolResultEntry)
    assert unknown.is_error
    assert unknown.text.startswith("Unknown outcome: a restart came")
    assert stage.provider.requests[0].entries[-1] == unknown


async def test_r5_an_effect_that_had_not_begun_runs_once(tmp_path: Path) -> None:
    pay = make_tool("pay", effect=Effect.EFFECT)
    stage = Stage(tmp_path, says("paid"), tools=[pay])
    await stage.chat(None, [ASKED, asks(("c1", "pay"))])
    assert len(pay.runs) == 1
    assert stage.steps.started == {"turn_1": ["c1"]}


async def test_r5_of_several_cut_calls_each_is_treated_as_it_may_be(tmp_path: Path) -> None:
    look, pay = make_tool("look", is_parallel=True), make_tool("pay", effect=Effect.EFFECT)
    stage = Stage(tmp_path, says("ok"), tools=[look, pay])
    stage.steps.started[TurnId("turn_1")] = ["c1", "c3"]
    asked = asks(("c1", "pay"), ("c2", "look"), ("c3", "pay"), ("c4", "pay"), ("c5", "look"))
    history: list[Entry] = [ASKED, asked, ToolResultEntry("c1", "pay", "paid")]
    events = await stage.chat(None, history)
    assert [run.context.call_id for run in pay.runs] == ["c4"]
    assert [run.context.call_id for run in look.runs] == ["c2", "c5"]
    assert [line for line in told(events) if not line.startswith("ToolStarted")] == [
        "ToolFinished c2",
        "ToolFailed c3",
        "ToolFinished c4",
        "ToolFinished c5",
    ]


async def test_r5_an_effect_is_noted_before_it_runs(tmp_path: Path) -> None:
    pay = make_tool("pay", effect=Effect.EFFECT)
    stage = Stage(tmp_path, calls(("c1", "pay", {})), says("paid"), tools=[pay])
    stage.steps.refuses = LaneLost("another owner")
    with pytest.raises(LaneLost):
        await stage.chat()
    assert pay.runs == []


async def test_a_cut_call_of_a_tool_that_is_gone_fails(tmp_path: Path) -> None:
    stage = Stage(tmp_path, says("sorry"))
    events = await stage.chat(None, [ASKED, asks(("c1", "look"))])
    assert told(events) == ["ToolStarted c1", "ToolFailed c1"]


async def test_the_steps_of_an_earlier_turn_do_not_count(tmp_path: Path) -> None:
    step: list[Entry] = [asks(("c0", "look")), ToolResultEntry("c0", "look", "x")]
    earlier: list[Entry] = [ASKED, *step, *step, *step]
    stage = Stage(tmp_path, says("noon"), settings=SETTINGS.model_copy(update={"max_steps": 1}))
    assert shown(await stage.chat("hi", earlier)) == "noon"
