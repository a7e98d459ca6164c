"""Makes an agent's runners, each with the workspace and the prompt of its session."""

import asyncio
from pathlib import Path

from gateway.contracts.runner import RunnerParams
from gateway.runners.kit import RunnerKit
from gateway.runners.prompt import PromptFacts, build_prompt
from gateway.runners.runner import AgentRunner
from gateway.runners.skills import read_skills
from gateway.workspace import (
    setup_group_workspace,
    setup_user_workspace,
    setup_workspace,
    user_skills_dir,
)


class RunnerFactory:
    """Called with a session's params, gives the session a runner (a `MakeRunner`)."""

    def __init__(self, kit: RunnerKit) -> None:
        self._kit = kit

    async def __call__(self, params: RunnerParams) -> AgentRunner:
        return await asyncio.to_thread(self._make, params)

    def _make(self, params: RunnerParams) -> AgentRunner:
        skills = user_skills_dir(setup_workspace(params.agent, self._kit.data_dir))
        workspace = self._workspace(params)
        prompt = params.prompt
        if prompt is None:
            prompt = self._prompt(params, skills, user_skills_dir(workspace))
        return AgentRunner(self._kit, params, prompt, workspace, skills)

    def _workspace(self, params: RunnerParams) -> Path:
        if params.person is None:
            return setup_group_workspace(params.agent, self._kit.data_dir, params.session_key)
        return setup_user_workspace(params.agent, self._kit.data_dir, params.person)

    def _prompt(self, params: RunnerParams, *skill_directories: Path) -> str:
        facts = PromptFacts(
            agent=params.agent,
            began_at=self._kit.clock.now(),
            is_group=params.person is None,
            tools=self._kit.toolbox.tools.keys(),
            skills=read_skills(*skill_directories),
        )
        opening = self._kit.settings.system_prompt if params.opening is None else params.opening
        return build_prompt(opening, facts)
