"""The system prompt: written once for a session, so that it never changes under it. Pure."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.ids import AgentId
from gateway.runners.skills import Skill


@dataclass(frozen=True, slots=True)
class PromptFacts:
    """What a model should know that its history does not say."""

    agent: AgentId
    began_at: float
    is_group: bool
    tools: Collection[str]
    skills: Sequence[Skill] = ()


def build_prompt(opening: str, facts: PromptFacts) -> str:
    """Put the facts of a session after the operator's own words."""
    told = "\n".join(f"- {fact}" for fact in _facts(facts))
    return f"{opening.strip()}\n\nAbout this conversation:\n{told}".strip()


def _facts(facts: PromptFacts) -> Iterator[str]:
    yield f"It began on {datetime.fromtimestamp(facts.began_at, UTC):%A, %d %B %Y} (UTC)."
    yield f"You are the agent {facts.agent}."
    if facts.is_group:
        yield "Several people share it; each message begins with its speaker's name."
    else:
        yield "It is a direct message with one person."
    yield "Your answers are shown in a chat app, as Markdown."
    if "read_file" in facts.tools:
        yield "You have a workspace of files; what people send is in its folder assets."
    if "send_file" in facts.tools:
        yield "People see none of these files unless you send them."
    if facts.skills and "read_file" in facts.tools:
        yield "Before you use one of these skills, read its file:"
        for skill in facts.skills:
            path = f".agents/skills/{skill.folder}/SKILL.md"
            yield f"{skill.name} ({path}): {skill.description}"
