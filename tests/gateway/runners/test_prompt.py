"""The prompt states the facts of a session, and no more than apply."""

from gateway.ids import AgentId
from gateway.runners.prompt import PromptFacts, build_prompt
from gateway.runners.skills import Skill

TEA = Skill("tea", "Tea", "Making tea.")


def facts(*tools: str, is_group: bool = False) -> PromptFacts:
    return PromptFacts(AgentId("main"), 1_800_000_000.0, is_group, tools, [TEA])


def test_a_prompt_with_all_facts() -> None:
    assert build_prompt("Be kind.\n", facts("read_file", "send_file")) == (
        "Be kind.\n"
        "\n"
        "About this conversation:\n"
        "- It began on Friday, 15 January 2027 (UTC).\n"
        "- You are the agent main.\n"
        "- It is a direct message with one person.\n"
        "- Your answers are shown in a chat app, as Markdown.\n"
        "- You have a workspace of files; what people send is in its folder assets.\n"
        "- People see none of these files unless you send them.\n"
        "- Before you use one of these skills, read its file:\n"
        "- Tea (.agents/skills/tea/SKILL.md): Making tea."
    )


def test_without_tools_nothing_is_said_of_files_or_skills() -> None:
    prompt = build_prompt("", facts(is_group=True))
    assert "workspace" not in prompt
    assert "Tea" not in prompt
    assert "Several people share it; each message begins with its speaker's name." in prompt
    assert prompt.startswith("About this conversation:")


def test_the_same_facts_make_the_same_prompt() -> None:
    assert build_prompt("x", facts("read_file")) == build_prompt("x", facts("read_file"))
    assert len(build_prompt("", facts("read_file", "send_file"))) < 600
