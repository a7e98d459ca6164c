"""Skills are found by their folders, and only their heads are read."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.runners.skills import Skill, read_skills


def put(directory: Path, folder: str, text: str) -> None:
    (directory / folder).mkdir(parents=True)
    (directory / folder / "SKILL.md").write_text(text)


def test_names_and_descriptions_are_read_in_order(tmp_path: Path) -> None:
    put(tmp_path, "tea", "---\nname: Tea\ndescription: >\n  Making\n  tea.\n---\nBoil.")
    put(tmp_path, "bread", "---\r\nname: 'Bread'\ndescription: Baking: how.\nby: us\n---\n")
    assert read_skills(tmp_path) == (
        Skill("bread", "Bread", "Baking: how."),
        Skill("tea", "Tea", "Making tea."),
    )


def test_a_persons_skill_stands_for_the_agents_of_that_folder(tmp_path: Path) -> None:
    put(tmp_path / "agent", "tea", "---\nname: Tea\ndescription: Ours.\n---\n")
    put(tmp_path / "person", "tea", "---\nname: Tea\ndescription: Theirs.\n---\n")
    directories = (tmp_path / "agent", tmp_path / "person", tmp_path / "missing")
    assert read_skills(*directories) == (Skill("tea", "Tea", "Theirs."),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name: Tea",
        "---\nname: Tea\n---\n",
        "---\nname:\ndescription: x\n---\n",
        "---\n" + "[" * 3000 + "\n---\n",
        " indented\n---\n",
        "---\n indented\n---\n",
        "---\nname: Tea\ndescription: no end",
        "---\njust words\n---\n",
    ],
)
def test_a_skill_without_a_proper_head_is_ignored(tmp_path: Path, text: str) -> None:
    put(tmp_path, "tea", text)
    with capture_logs() as logs:
        assert read_skills(tmp_path) == ()
    assert [line["event"] for line in logs] == ["skill.ignored"]


def test_t37_a_skill_that_is_a_link_is_not_read(tmp_path: Path) -> None:
    put(tmp_path / "outside", "tea", "---\nname: Tea\ndescription: canary\n---\n")
    skills = tmp_path / "skills"
    skills.mkdir()
    (skills / "folder").symlink_to(tmp_path / "outside/tea")
    (skills / "file").mkdir()
    (skills / "file/SKILL.md").symlink_to(tmp_path / "outside/tea/SKILL.md")
    (skills / "README.md").write_text("no skill")
    assert read_skills(skills) == ()


def test_a_prompt_stays_small_however_many_and_long(tmp_path: Path) -> None:
    for number in range(40):
        head = f"---\nname: {'n' * 500}\ndescription: {'d' * 2000}\n---\n"
        put(tmp_path, f"skill{number}", head)
    skills = read_skills(tmp_path)
    assert len(skills) == 30
    assert {(len(skill.name), len(skill.description)) for skill in skills} == {(64, 300)}
