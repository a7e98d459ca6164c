from gateway.events import ToolFailed, ToolFinished, ToolStarted
from gateway.replies.tools import ToolStatus


def started(call: str, tool: str = "read_file", summary: str = "") -> ToolStarted:
    return ToolStarted(call_id=call, tool=tool, summary=summary)


def finished(call: str, tool: str = "read_file", seconds: float = 1.0) -> ToolFinished:
    return ToolFinished(call_id=call, tool=tool, summary="ok", seconds=seconds)


def failed(call: str, tool: str = "read_file") -> ToolFailed:
    return ToolFailed(call_id=call, tool=tool, summary="no such file", seconds=0.5)


def status(*events: ToolStarted | ToolFinished | ToolFailed) -> ToolStatus:
    tools = ToolStatus()
    for event in events:
        tools.add(event)
    return tools


def test_calls_at_the_same_time_are_told_apart_by_id() -> None:
    tools = status(started("1", summary="a"), started("2", summary="b"), finished("2"))
    assert tools.lines() == "⏳ read_file `a`  \n✓ read_file `b` · 1.0 s"


def test_a_failed_call_says_why() -> None:
    assert status(started("1", summary="a"), failed("1")).lines() == (
        "✗ read_file `no such file` · 0.5 s"
    )


def test_a_time_that_nobody_notices_is_not_told() -> None:
    tools = status(started("1", summary="a"), finished("1", seconds=0.04))
    assert tools.lines() == "✓ read_file `a`"


def test_a_backtick_in_an_input_stays_in_the_line() -> None:
    assert status(started("1", summary="a` **b**\nc")).lines() == "⏳ read_file ``a` **b** c``"


def test_only_the_newest_lines_are_shown() -> None:
    lines = status(*(started(str(n), summary=str(n)) for n in range(9))).lines().split("  \n")
    assert lines[0] == "4 earlier"
    assert len(lines) == 6


def test_lines_go_when_text_follows_unless_the_tool_still_runs() -> None:
    tools = status(started("1"), finished("1"), started("2", tool="search"))
    tools.text_follows()
    assert tools.lines() == "⏳ search"
    assert status().lines() == ""


def test_the_footer_counts_and_names_failures() -> None:
    tools = status(
        started("1"), finished("1"), started("2"), failed("2"), finished("3", "search_files", 1.6)
    )
    assert tools.footer() == "🔧 read_file ×2 (1 failed) · search_files · 3.1 s"  # noqa: RUF001 - as shown
    assert status(failed("1", "write_file")).footer() == "🔧 write_file (failed) · 0.5 s"
    assert status(finished("1", "now", 0.04)).footer() == "🔧 now"
    assert status().footer() == ""
