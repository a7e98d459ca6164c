"""A runner is made for one session, with that session's workspace and prompt."""

import stat
from pathlib import Path

from gateway.contracts.runner import RunnerParams, TurnOptions
from gateway.ids import PersonId
from tests.fakes.provider import calls, says
from tests.fakes.tools import make_tool
from tests.fakes.turns import AGENT, SESSION, a_turn
from tests.gateway.runners.stage import Stage


async def test_a_frozen_prompt_is_used_as_it_is(tmp_path: Path) -> None:
    runner = await Stage(tmp_path).runner(prompt="frozen long ago")
    assert runner.system_prompt == "frozen long ago"


async def test_a_new_session_gets_a_prompt_with_its_facts(tmp_path: Path) -> None:
    stage = Stage(tmp_path, tools=[make_tool("read_file")])
    skill = tmp_path / "workspaces/main/.agents/skills/tea"
    skill.mkdir(parents=True)
    (skill / "SKILL.md").write_text("---\nname: Tea\ndescription: Making tea.\n---\nBoil.")
    prompt = (await stage.runner(prompt=None)).system_prompt
    assert prompt.startswith("You are a helpful assistant in a chat.")
    assert "Friday, 15 January 2027 (UTC)" in prompt
    assert "Tea (.agents/skills/tea/SKILL.md): Making tea." in prompt
    assert "Boil" not in prompt


async def test_t14_a_group_has_a_workspace_of_its_own(tmp_path: Path) -> None:
    look = make_tool("look")
    script = [calls(("c1", "look", {})), says("ok")] * 2
    stage = Stage(tmp_path, *script, tools=[look])
    private = tmp_path / "workspaces/main/users/ann/.agents/skills/secret"
    private.mkdir(parents=True)
    (private / "SKILL.md").write_text("---\nname: Secret\ndescription: Of Ann.\n---\n")
    key = "main:group:chat/1"
    runner = await stage.factory(RunnerParams(AGENT, SESSION, key, None, "big", None))
    assert "Several people share it" in runner.system_prompt
    assert "Secret" not in runner.system_prompt
    assert [event async for event in runner.chat([], "hi", TurnOptions(turn=a_turn()))]
    context = look.runs[0].context
    assert context.person is None
    assert context.workspace == tmp_path / "workspaces/main/groups/main%3Agroup%3Achat%2F1"
    assert stat.S_IMODE(context.workspace.stat().st_mode) == 0o700


async def test_t13_each_person_has_a_workspace_of_their_own(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    for person in ("ann", "bert", "../ann"):
        await stage.runner(person=PersonId(person))
    users = tmp_path / "workspaces/main/users"
    assert sorted(one.name for one in users.iterdir()) == ["%2E.%2Fann", "ann", "bert"]
