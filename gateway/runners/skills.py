"""Skills: folders with a `SKILL.md`, of which the prompt names only what each is for."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from gateway.workspace import read_beneath

log = structlog.get_logger()

_MOST = 30
_HEAD = 4096
_NAME = 64
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
    fence, _, rest = text.partition("\n")
    head, end, _ = rest.partition("\n---")
    fields = _fields(head) if fence.strip() == "---" and end else {}
    name, description = fields.get("name"), fields.get("description")
    if not (name and description):
        log.warning("skill.ignored", reason="SKILL.md needs a name and a description")
        return None
    return Skill(folder, name[:_NAME], description[:_DESCRIPTION])


def _fields(head: str) -> dict[str, str]:
    """Read `key: value` lines with their indented continuations: all of YAML that skills use."""
    fields: dict[str, str] = {}
    key = ""
    for line in head.splitlines():
        if line[:1].isspace():
            fields[key] = f"{fields.get(key, '')} {line.strip()}"
        else:
            key, _, fields[key] = line.partition(":")
    return {key: _plain(value) for key, value in fields.items()}


def _plain(value: str) -> str:
    return re.sub(r"^[>|][-+]? ", "", " ".join(value.split())).strip("'\"")
