"""What the demo says and does, chosen by a word in the message; pure.

A scene is a list of steps. As in any turn with tools, each step ends with calls and the next
is asked for with their results: how many steps are done is read from the history.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.contracts.provider import ModelRequest
from gateway.providers import demo_texts
from gateway.providers.demo_picture import picture_base64
from gateway.transcript import (
    AssistantEntry,
    Entry,
    FileBlock,
    SummaryEntry,
    ToolResultEntry,
    UserEntry,
    message_text,
)

_COMMAND_WORDS = 8
"""A longer message is talk, whatever words are in it."""
_QUOTED = 200
_PICTURE = "demo.png"
_NOTE = "demo.md"


@dataclass(frozen=True, slots=True)
class Step:
    """One model call's answer."""

    text: str
    calls: tuple[tuple[str, dict[str, Any]], ...] = ()
    thought: str = ""
    failure: str = ""
    is_slow: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """What the demo looks at before it answers."""

    words: str
    files: tuple[FileBlock, ...]
    earlier: int
    """User messages before this one."""
    has_summary: bool
    tools: frozenset[str]
    results: tuple[ToolResultEntry, ...] = field(default=())
    """Of this turn, oldest first."""
    steps_done: int = 0

    def gave(self, tool: str) -> str:
        """Return what a tool gave in this turn; empty if it was not called."""
        return next((result.text for result in self.results if result.tool == tool), "")


Scene = Callable[[Situation], list[Step]]


def next_step(request: ModelRequest) -> Step:
    """Return the answer to a request: always the same for the same request."""
    if not request.tools and "ummar" in request.system:
        return Step(_summary(request.entries))
    now = read_situation(request)
    steps = [_possible(step, now.tools) for step in _scene(now)]
    steps = [step for step in steps[:-1] if step.calls] + steps[-1:]
    return steps[min(now.steps_done, len(steps) - 1)]


def read_situation(request: ModelRequest) -> Situation:
    asked = [
        (index, entry)
        for index, entry in enumerate(request.entries)
        if isinstance(entry, UserEntry)
    ]
    last, entry = asked[-1] if asked else (-1, UserEntry(""))
    turn = request.entries[last + 1 :]
    return Situation(
        words=message_text(entry.content).strip(),
        files=tuple(block for block in entry.content if isinstance(block, FileBlock)),
        earlier=max(len(asked) - 1, 0),
        has_summary=any(isinstance(entry, SummaryEntry) for entry in request.entries),
        tools=frozenset(tool.name for tool in request.tools),
        results=tuple(entry for entry in turn if isinstance(entry, ToolResultEntry)),
        steps_done=sum(isinstance(entry, AssistantEntry) and bool(entry.calls) for entry in turn),
    )


def _possible(step: Step, tools: frozenset[str]) -> Step:
    return replace(step, calls=tuple(call for call in step.calls if call[0] in tools))


def _scene(now: Situation) -> list[Step]:
    words = re.findall(r"\w+", now.words.lower())
    if len(words) <= _COMMAND_WORDS:
        for word in words:
            if word in _SCENES:
                return _SCENES[word](now)
    return _talk(now)


def _talk(now: Situation) -> list[Step]:
    if now.files:
        named = ", ".join(f"`{file.name}` ({file.mime}, {file.size} bytes)" for file in now.files)
        heard = f"Thank you for {named}. A real model would look into it."
    elif now.words:
        words = now.words if len(now.words) <= _QUOTED else f"{now.words[: _QUOTED - 1]}…"
        heard = "You said:\n\n" + "\n".join(f"> {line}" for line in words.splitlines())
    else:
        heard = "You sent a message without words."
    return [Step(f"{heard}\n\n{_memory(now)}\n\n{demo_texts.HOW_TO_GO_ON}")]


def _memory(now: Situation) -> str:
    before = "and a summary of what came before them" if now.has_summary else ""
    match now.earlier:
        case 0 if not before:
            return "It is your first message in this conversation."
        case 1:
            return f"I remember 1 earlier message {before}".rstrip() + "."
        case count:
            return f"I remember {count} earlier messages {before}".rstrip() + "."


def _time(now: Situation) -> list[Step]:
    told = now.gave("now")
    answer = f"The clock says: {told}." if told else "There is no clock among my tools."
    return [Step("Let me look at the clock.", (("now", {}),)), Step(answer)]


def _file(now: Situation) -> list[Step]:
    return [
        Step("I write a file.", (_write_note(),)),
        Step("Here it comes.", (("send_file", {"path": _NOTE, "caption": "From the demo"}),)),
        Step(_told(now, "send_file", "The file is yours.", "I have no tool that sends files.")),
    ]


def _picture(now: Situation) -> list[Step]:
    return [
        Step("I paint a picture.", (_write_picture(),)),
        Step("Here it comes.", (("send_image", {"path": _PICTURE, "caption": "A sunrise"}),)),
        Step(_told(now, "send_image", "Do you like it?", "I have no tool that sends pictures.")),
    ]


def _tour(now: Situation) -> list[Step]:
    sent = (
        ("send_image", {"path": _PICTURE, "caption": "A sunrise"}),
        ("send_file", {"path": _NOTE, "caption": "From the demo"}),
    )
    return [
        Step("**The tour.** First, the time.", (("now", {}),), thought=demo_texts.THOUGHT),
        Step(f"It is {now.gave('now')}. Now I write two files.", (_write_note(), _write_picture())),
        Step("And I send you both.", sent),
        Step(f"{demo_texts.TABLE}\n\n{demo_texts.CODE}\n\n{demo_texts.TOUR_ENDS}"),
    ]


def _told(now: Situation, tool: str, well: str, lacking: str) -> str:
    failed = next((result for result in now.results if result.is_error), None)
    if failed is not None:
        return f"That went wrong: {failed.text}"
    return well if now.gave(tool) else lacking


def _write_note() -> tuple[str, dict[str, Any]]:
    return "write_file", {"path": _NOTE, "content": demo_texts.NOTE}


def _write_picture() -> tuple[str, dict[str, Any]]:
    return "write_file", {"path": _PICTURE, "content_base64": picture_base64()}


def _says(text: str, *, is_slow: bool = False, failure: str = "") -> Scene:
    return lambda _: [Step(text, is_slow=is_slow, failure=failure)]


def _summary(entries: Sequence[Entry]) -> str:
    """Make the summary that compaction asks for: the first words of each line."""
    record = "\n".join(
        message_text(entry.content) for entry in entries if isinstance(entry, UserEntry)
    )
    lines = [line.strip()[:_QUOTED] for line in record.splitlines() if line.strip()]
    return "\n".join(["The conversation so far, in its own words:", *lines[-20:]])


_SCENES: dict[str, Scene] = {
    "help": _says(demo_texts.HELP),
    "tour": _tour,
    "time": _time,
    "file": _file,
    "image": _picture,
    "picture": _picture,
    "table": _says(f"Here is a table.\n\n{demo_texts.TABLE}"),
    "code": _says(f"Here is some code.\n\n{demo_texts.CODE}"),
    "long": _says(demo_texts.LONG),
    "slow": _says(demo_texts.SLOW, is_slow=True),
    "fail": _says("I begin to answer, and then", failure="The demo failed, as it was asked to."),
}
