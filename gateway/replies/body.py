"""What a reply says, as Markdown, after each of its turn's events. Pure."""

from dataclasses import dataclass

from gateway.events import (
    NoticeAdded,
    TextDelta,
    TextRestarted,
    ToolFailed,
    ToolFinished,
    ToolStarted,
    TurnFailed,
)
from gateway.messages import Limits, Task
from gateway.replies.blocks import close_fence
from gateway.replies.measured import Measured
from gateway.replies.split import split
from gateway.replies.tools import ToolStatus
from gateway.replies.wording import PLACEHOLDER, escaped, noted

EMPTY_WORDS = "(empty response)"

BodyEvent = (
    TextDelta | TextRestarted | NoticeAdded | TurnFailed | ToolStarted | ToolFinished | ToolFailed
)


@dataclass(frozen=True, slots=True)
class _Paragraph:
    text: str
    is_ours: bool = False
    """The gateway's own word, which stands when the model's are void."""


@dataclass(frozen=True, slots=True)
class View:
    """What one page is to show."""

    text: str
    tasks: tuple[Task, ...] = ()


class Body:
    """Gathers a turn's words. Each model step, and each notice, is a paragraph of its own.

    Tools are lines of text, or tasks beside it where the platform has them.
    """

    def __init__(self, limits: Limits, *, has_tasks: bool = False) -> None:
        self._limit = limits.text
        self._measure = Measured(limits.measure)
        self._settled: list[_Paragraph] = []
        self._step_from = 0
        """Where in `_settled` the running step's words begin."""
        self._open: list[str] = []
        self._notes: list[str] = []
        self._tools = ToolStatus()
        self._has_tasks = has_tasks
        self._page_of_task: dict[str, int] = {}
        self._has_files = False

    def add(self, event: BodyEvent) -> None:
        """Take in one event; cheap, as it happens for every piece of a stream."""
        match event:
            case TextDelta(text=text):
                self._open.append(text)
                self._tools.text_follows()
            case TextRestarted():
                self._void_step()
            case NoticeAdded(words=words):
                self._settle()
                self._settled.append(_Paragraph(noted(words), is_ours=True))
            case TurnFailed(words=words):
                self._settle()
                shown = noted(words) if self._settled else escaped(words.strip())
                self._settled.append(_Paragraph(shown, is_ours=True))
            case ToolStarted() | ToolFinished() | ToolFailed():
                self._end_step()
                self._tools.add(event)

    def note(self, words: str) -> None:
        """Put a word of the gateway's own at the end."""
        self._notes.append(noted(words))

    def has_sent_files(self) -> None:
        """Files are an answer too: without a word beside them, the reply is not empty."""
        self._has_files = True

    def interim_pages(self) -> list[View]:
        """Return what can be shown by now; nothing at all before there is anything."""
        text = self._text()
        pages = self._split(text) if text else []
        if self._has_tasks:
            return self._with_tasks(pages)
        joined = self._joined(pages, self._tools.lines())
        return [View(page) for page in (pages if joined is None else joined)]

    def final_pages(self, below: str = "") -> list[View]:
        """Return the whole answer: text, notes, a footer for tools, and `below` last."""
        text = self._text()
        if not self._measure(text):
            text = escaped(text)
        is_empty = not self._measure(text) and not self._has_files
        parts = [EMPTY_WORDS if is_empty else text, *self._notes, below]
        whole = "\n\n".join(close_fence(part) for part in parts if part)
        pages = self._split(whole) if whole else []
        footer = self._tools.footer()
        if self._has_tasks:
            # A message may be empty only while it grows.
            return self._with_tasks(pages or ([footer] if footer else []))
        joined = self._joined(pages, footer)
        return [View(page) for page in ([*pages, footer] if joined is None else joined)]

    def _with_tasks(self, pages: list[str]) -> list[View]:
        """Give each task to the page that was the last when it was first shown."""
        tasks = self._tools.tasks()
        if tasks and not pages:
            pages = [""]
        last = len(pages) - 1
        of_page: dict[int, list[Task]] = {}
        for task in tasks:
            page = self._page_of_task.setdefault(task.id, last)
            of_page.setdefault(min(page, last), []).append(task)
        return [View(text, tuple(of_page.get(at, ()))) for at, text in enumerate(pages)]

    def _text(self) -> str:
        """Return the model's words and the notices between them."""
        text = self._open_text()
        if not self._settled:
            return text
        return "\n\n".join([*(one.text for one in self._settled), *filter(None, [text])])

    def _settle(self) -> None:
        text = close_fence(self._open_text())
        self._open.clear()
        if text:
            self._settled.append(_Paragraph(text))

    def _open_text(self) -> str:
        return "".join(self._open).lstrip("\n").rstrip()

    def _void_step(self) -> None:
        self._open.clear()
        step = self._settled[self._step_from :]
        self._settled[self._step_from :] = [one for one in step if one.is_ours]

    def _end_step(self) -> None:
        self._settle()
        self._step_from = len(self._settled)

    def _split(self, text: str) -> list[str]:
        self._measure.begin()
        pages = split(text, self._limit, self._measure)
        return [page if self._measure(page) else PLACEHOLDER for page in pages]

    def _joined(self, pages: list[str], below: str) -> list[str] | None:
        """Put a line below the last page; None when there is no room for it."""
        if not below:
            return pages
        if not pages:
            return [below]
        last = f"{close_fence(pages[-1])}\n\n{below}"
        return [*pages[:-1], last] if self._measure(last) <= self._limit else None
