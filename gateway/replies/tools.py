"""The tools of a turn: lines while they run, one small footer once all is said."""

from dataclasses import dataclass

from gateway.events import ToolFailed, ToolFinished, ToolStarted
from gateway.messages import Task, TaskState
from gateway.replies.wording import as_code, escaped

_LINES_AT_MOST = 5
_TITLE_AT_MOST = 160
_NOTICED = 0.1
"""Seconds."""
_TIMES = "\u00d7"


@dataclass(slots=True)
class _Call:
    tool: str
    summary: str
    seconds: float | None = None
    has_failed: bool = False
    outcome: str = ""


class ToolStatus:
    """What tools were called, by call id, in the order they began."""

    def __init__(self) -> None:
        self._calls: dict[str, _Call] = {}
        self._told = 0

    def add(self, event: ToolStarted | ToolFinished | ToolFailed) -> None:
        if isinstance(event, ToolStarted):
            self._calls[event.call_id] = _Call(event.tool, event.summary)
            return
        call = self._calls.setdefault(event.call_id, _Call(event.tool, event.summary))
        call.seconds = event.seconds
        call.outcome = event.summary
        call.has_failed = isinstance(event, ToolFailed)

    def text_follows(self) -> None:
        """Keep finished calls for the footer only: the model has gone on to talk."""
        self._told = len(self._calls)

    def lines(self) -> str:
        """Return a line for each call since the last text, the newest few."""
        calls = [
            call
            for at, call in enumerate(self._calls.values())
            if at >= self._told or call.seconds is None
        ]
        lines = [_line(call) for call in calls[-_LINES_AT_MOST:]]
        if len(calls) > _LINES_AT_MOST:
            lines.insert(0, f"{len(calls) - _LINES_AT_MOST} earlier")
        return "  \n".join(lines)

    def tasks(self) -> list[Task]:
        """Return all calls, for platforms that show tools themselves."""
        return [_task(call_id, call) for call_id, call in self._calls.items()]

    def footer(self) -> str:
        """Return all calls in one line: each tool, how often, and the time taken."""
        if not self._calls:
            return ""
        by_tool: dict[str, list[_Call]] = {}
        for call in self._calls.values():
            by_tool.setdefault(call.tool, []).append(call)
        names = [_counted(tool, calls) for tool, calls in by_tool.items()]
        time = _time(sum(call.seconds or 0.0 for call in self._calls.values()))
        return "🔧 " + " · ".join([*names, *filter(None, [time])])


def _task(call_id: str, call: _Call) -> Task:
    if call.seconds is None:
        state = TaskState.RUNNING
    else:
        state = TaskState.FAILED if call.has_failed else TaskState.DONE
    title = f"{call.tool} {call.summary}".strip()
    return Task(call_id, title[:_TITLE_AT_MOST], state, call.outcome)


def _line(call: _Call) -> str:
    sign = "⏳" if call.seconds is None else "✗" if call.has_failed else "✓"
    time = _time(call.seconds or 0.0)
    words = call.outcome if call.has_failed else call.summary
    line = " ".join(filter(None, (sign, escaped(call.tool), as_code(words))))
    return f"{line} · {time}" if time else line


def _time(seconds: float) -> str:
    """Tell a time that somebody has noticed."""
    return f"{seconds:.1f} s" if seconds >= _NOTICED else ""


def _counted(tool: str, calls: list[_Call]) -> str:
    failed = sum(call.has_failed for call in calls)
    times = f" {_TIMES}{len(calls)}" if len(calls) > 1 else ""
    failures = "" if not failed else " (failed)" if failed == len(calls) else f" ({failed} failed)"
    return f"{escaped(tool)}{times}{failures}"
