"""Skills: folders with a `SKILL.md`, of which the prompt names only what each is for."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from gateway.workspace import read_beneath

log = structlog.get_logger()

_MOST = 30
_HEAD = 4096
_DESCRIPTION = 300


@dataclass(frozen=True, slots=True)
class Skill:
    """Something the model can read up on when it needs to."""

    folder: str
    name: str
    description: str


def read_skills(*directories: Path) -> tuple[Skill, ...]:
    """Return the skills in these directories; of two in folders of one name, the later."""
    found = {skill.folder: skill for directory in directories for skill in _in(directory)}
    return tuple(found[folder] for folder in sorted(found))


def _in(directory: Path) -> Iterator[Skill]:
    if not directory.is_dir():
        return
    for folder in sorted(directory.iterdir())[:_MOST]:
        try:
            head = read_beneath(directory, f"{folder.name}/SKILL.md", _HEAD)
        except OSError:
            continue
        if (skill := _parse(folder.name, head.decode(errors="replace"))) is not None:
            yield skill


def _parse(folder: str, text: str) -> Skill | None:
    """Read the block of `name` and `description` that a skill begins with."""
    _, fence, rest = text.partition("---\n")
    head, end, _ = rest.partition("\n---")
    match _yaml(head) if fence and end else None:
        case {"name": str(name), "description": str(description)}:
            return Skill(folder, _one_line(name, 64), _one_line(description, _DESCRIPTION))
        case _:
            log.warning("skill.ignored", reason="SKILL.md needs a name and a description")
            return None


def _yaml(text: str) -> Any:
    import yaml  # noqa: PLC0415 - only where there are skills

    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def _one_line(text: str, limit: int) -> str:
    return " ".join(text.split())[:limit]
