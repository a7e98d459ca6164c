from pathlib import Path

from tests.fakes.command import on_terminal, parley


async def test_lines_from_a_pipe_are_answered_in_order(tmp_path: Path) -> None:
    result = await parley("chat", cwd=tmp_path, typed="hello there\n/whoami\nbye")
    assert result.code == 0
    assert -1 < result.out.find("hello there") < result.out.find("bye")
    assert "local:" in result.out
    assert "Traceback" not in result.err


async def test_the_first_start_needs_no_key_and_greets(tmp_path: Path) -> None:
    async with on_terminal("chat", cwd=tmp_path) as terminal:
        await terminal.screen.shows("the offline demo: no key, no network", within=20)
        await terminal.screen.shows("@path attaches a file")
        await terminal.screen.shows("\n>")
        terminal.type("good morning\r")
        await terminal.screen.shows("> good morning")
        await terminal.screen.shows("first message", within=10)
        terminal.type("\x04")
        assert await terminal.code() == 0
    assert (tmp_path / "data" / "chat.log").exists()
    assert "gateway." not in terminal.screen.text


async def test_typed_lines_come_back_in_the_next_chat(tmp_path: Path) -> None:
    for keys in ("remember this\r\x04", "\x1b[A"):
        async with on_terminal("chat", cwd=tmp_path) as terminal:
            await terminal.screen.shows("\n>", within=20)
            terminal.type(keys)
            await terminal.screen.shows("> remember this")
            terminal.type("\x15\x04")
            assert await terminal.code() == 0


async def test_an_unknown_agent_is_refused(tmp_path: Path) -> None:
    result = await parley("chat", "--agent", "ada", cwd=tmp_path)
    assert result.code == 2
    assert result.err == "parley: --agent: there is no agent `ada`; known here: main\n"


async def test_a_chat_may_be_kept_elsewhere(tmp_path: Path) -> None:
    result = await parley("chat", "--data-dir", "apart", cwd=tmp_path, typed="hi")
    assert result.code == 0
    assert (tmp_path / "apart" / "parley.db").exists()
    assert not (tmp_path / "data").exists()


async def test_where_nothing_can_be_kept_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    result = await parley("chat", cwd=tmp_path, typed="hi")
    assert result.code == 3
    assert len(result.err.splitlines()) == 1


async def test_an_answer_ends_before_the_chat_does(tmp_path: Path) -> None:
    async with on_terminal("chat", cwd=tmp_path) as terminal:
        await terminal.screen.shows("\n>", within=20)
        terminal.type("good morning\r\x04")
        assert await terminal.code() == 0
        assert "first message" in terminal.screen.text


async def test_ctrl_c_stops_an_answer_and_then_leaves(tmp_path: Path) -> None:
    async with on_terminal("chat", cwd=tmp_path) as terminal:
        await terminal.screen.shows("\n>", within=20)
        terminal.type("slow\r")
        await terminal.screen.shows("I take my time", within=10)
        terminal.type("\x03")
        await terminal.screen.shows("Stopped", within=10)
        terminal.type("\x03")
        assert await terminal.code() == 0
