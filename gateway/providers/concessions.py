"""What one request gives up after a refusal, so that no history is a dead end.

A server may refuse a picture it cannot read, a history of calls without the thoughts that led
to them, or tools altogether: the same is then told in words.
"""

import re
from dataclasses import dataclass, replace

_ABOUT_FILES = re.compile(
    r"image|vision|media|document|\bpdf\b|\bfile\b|multimodal|content.?type", re.IGNORECASE
)
_ABOUT_CALLS = re.compile(
    r"thinking|reasoning_content|tool_?(use|call|result)|role.{0,10}\btool\b|alternat",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Concessions:
    """How plainly a request tells its history."""

    with_files: bool = True
    with_calls: bool = True


def concede(
    given: Concessions, complaint: str, *, has_files: bool, has_calls: bool
) -> Concessions | None:
    """Return what to give up next because of a complaint; None when nothing would help."""
    if has_files and given.with_files and _ABOUT_FILES.search(complaint):
        return replace(given, with_files=False)
    if has_calls and given.with_calls and _ABOUT_CALLS.search(complaint):
        return replace(given, with_calls=False)
    return None
