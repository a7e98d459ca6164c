"""What is saved of a session, how far it is kept, and when there is nothing to go on with."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord.bookmark import Bookmark, Stamp, found_in
from adapters.discord.continuation import Continuation
from adapters.discord.places import Places
from tests.fakes.clock import FakeClock

US = "1"
TOKEN = ("a token", 4609)


def continuation(file: Path, places: Places, clock: FakeClock | None = None) -> Continuation:
    return Continuation(file, places, US, TOKEN, clock or FakeClock())


def server(number: int, channels: int = 1) -> dict[str, Any]:
    told = [{"id": f"{number}{one:03}", "type": 0, "name": f"c{one}"} for one in range(channels)]
    thread = {"id": f"{number}999", "type": 11, "parent_id": f"{number}000", "owner_id": US}
    roles = [{"id": f"{number}7", "name": "parley", "tags": {"bot_id": US}}]
    return {"id": str(number), "channels": told, "threads": [thread], "roles": roles}


def session(number: int = 5, *, of_places: bool = True) -> Bookmark:
    bookmark = Bookmark()
    bookmark.begin("s", "wss://resume.example/")
    bookmark.heard(number, of_places=of_places)
    return bookmark


@pytest.mark.promise("R1")
@given(st.lists(st.tuples(st.integers(1, 30), st.booleans(), st.booleans()), max_size=60))
def test_r1_everything_up_to_the_saved_number_is_kept(
    events: list[tuple[int, bool, bool]],
) -> None:
    """Events come with one part or several, of which some are kept at once or later."""
    bookmark, pending = Bookmark(), set[int]()
    bookmark.begin("s", "wss://x/")
    for number, (parts, *are_kept) in enumerate(events, start=1):
        stamp = bookmark.stamp(number)
        for _ in range(parts):
            bookmark.arrived(stamp)
        for _ in range(parts if are_kept[0] else parts - 1):
            bookmark.kept(stamp)
        pending |= set() if are_kept[0] else {number}
        bookmark.heard(number, of_places=False)
        if are_kept[1] and pending:
            bookmark.kept(Stamp("s", pending.pop()))
        first = min(pending, default=number + 1)
        assert bookmark.kept_up_to == (first - 1 or None)


WHOLE = {"id": "s", "address": "wss://resume.example/", "number": 5, "unread": {}}


@pytest.mark.promise("R1")
def test_r1_nothing_is_saved_while_something_of_another_session_is_under_way() -> None:
    bookmark = session(of_places=False)
    bookmark.arrived(Stamp("before", 3))
    assert bookmark.told is None
    bookmark.kept(Stamp("before", 3))
    assert bookmark.told == WHOLE
    bookmark.forget()
    assert bookmark.told is None


@pytest.mark.promise("R1", "R8")
def test_r1_r8_a_channel_is_unread_until_all_that_was_found_in_it_is_kept() -> None:
    bookmark = session(of_places=False)
    bookmark.look_in(None)
    assert bookmark.told is None  # nobody knows yet where to look
    bookmark.look_in({"70": "7", "80": None})
    assert bookmark.told == WHOLE | {"unread": {"70": "7", "80": None}}
    for _ in range(2):
        bookmark.arrived(found_in("70"))
    bookmark.has_read("70")
    bookmark.has_read("80")
    assert bookmark.told == WHOLE | {"unread": {"70": "7"}}
    bookmark.kept(found_in("70"))
    assert bookmark.told == WHOLE | {"unread": {"70": "7"}}
    bookmark.kept(found_in("70"))
    assert bookmark.told == WHOLE


@pytest.mark.promise("R8")
async def test_r8_a_hundred_servers_with_five_hundred_channels_each_are_known_again(
    tmp_path: Path,
) -> None:
    file, places = tmp_path / "a.places", Places()
    for number in range(100, 200):
        places.note_guild(server(number, 500), US)
    told = await continuation(file, places).save(session(), is_last=True)
    assert file.stat().st_size < 5_000_000
    assert file.stat().st_mode & 0o777 == 0o600
    known, bookmark = Places(), Bookmark()
    await continuation(file, known).take_up(told, bookmark)
    assert (bookmark.session, bookmark.kept_up_to) == ("s", 5)
    assert known.servers == 100
    for number in range(100, 200):
        assert known.our_roles(str(number)) == {f"{number}7"}
        thread = known.find(f"{number}999")
        assert thread is not None
        assert (thread.parent, thread.owner, thread.is_thread) == (f"{number}000", US, True)
        channel = known.find(f"{number}499")
        assert channel is not None
        assert (channel.name, channel.guild) == ("c499", str(number))


async def test_who_else_began_a_thread_is_not_written_down(tmp_path: Path) -> None:
    file, places = tmp_path / "a.places", Places()
    told = server(100)
    told["threads"][0]["owner_id"] = "424242"
    places.note_guild(told, US)
    await continuation(file, places).save(session(), is_last=True)
    assert "424242" not in file.read_text()


@pytest.mark.promise("R1")
async def test_r1_places_are_in_the_file_before_the_number_passes_them(tmp_path: Path) -> None:
    """Large bots learn of places all the time: the file is written twice a minute."""
    file, places, clock = tmp_path / "a.places", Places(), FakeClock()
    keeping, bookmark = continuation(file, places, clock), session()
    places.note_guild(server(100), US)
    first = await keeping.save(bookmark, is_last=False)
    assert first is not None
    assert first["number"] == 5
    for number in (6, 7, 8):
        places.note_guild(server(100 + number), US)
        bookmark.heard(number, of_places=number != 6)
        told = await keeping.save(bookmark, is_last=False)
        assert told is not None
        assert told["number"] == 6
    await clock.advance(31)
    told = await keeping.save(bookmark, is_last=False)
    assert told is not None
    assert told["number"] == 8
    assert "108999" in file.read_text()


async def test_places_that_cannot_be_written_hold_the_number_back(tmp_path: Path) -> None:
    file, places = tmp_path / "there" / "a.places", Places()
    keeping, bookmark = continuation(file, places), session()
    assert await keeping.save(bookmark, is_last=True) is None
    file.parent.mkdir()
    assert await keeping.save(bookmark, is_last=False) is not None
    bookmark.heard(6, of_places=True)
    (tmp_path / "there").rename(tmp_path / "gone")
    told = await keeping.save(bookmark, is_last=True)
    assert told is not None
    assert told["number"] == 5


async def test_a_save_that_is_cut_off_leaves_a_whole_file_and_is_made_up_for(
    tmp_path: Path,
) -> None:
    file, places = tmp_path / "a.places", Places()
    for number in range(100, 150):
        places.note_guild(server(number, 100), US)
    keeping, bookmark = continuation(file, places), session()
    cut_off = asyncio.ensure_future(keeping.save(bookmark, is_last=False))
    await asyncio.sleep(0)
    cut_off.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cut_off
    assert bookmark.has_new_places
    told = await keeping.save(bookmark, is_last=True)
    known = Places()
    await continuation(file, known).take_up(told, Bookmark())
    assert known.servers == 50


@pytest.mark.parametrize(
    "change",
    [
        {"id": "another"},
        {"of": "another"},
        {"number": 0},
        {"number": None},
        {"address": "https://resume.example/"},
        {"address": "wss:///"},
        {"unread": None},
        {"unread": ["70"]},
        {"unread": {"x": "7"}},
        {"unread": {"70": "x"}},
    ],
    ids=str,
)
async def test_what_is_not_this_session_of_ours_is_left(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    file, places = tmp_path / "a.places", Places()
    places.note_guild(server(100), US)
    told = await continuation(file, places).save(session(), is_last=True)
    assert told is not None
    others: list[Any] = [{**told, **change}, None, [], "x", {}]
    for wrong in others:
        known, bookmark = Places(), Bookmark()
        await continuation(file, known).take_up(wrong, bookmark)
        assert (bookmark.session, known.servers) == ("", 0)


@pytest.mark.parametrize("content", ["", "[]", "{}", '["s"]', '["s","1",{}]\n[1]', "\udcff"])
async def test_a_file_that_cannot_be_read_is_left(tmp_path: Path, content: str) -> None:
    file, places = tmp_path / "a.places", Places()
    told = await continuation(file, places).save(session(), is_last=True)
    file.write_text(content, errors="surrogateescape")
    bookmark = Bookmark()
    await continuation(file, places).take_up(told, bookmark)
    assert bookmark.session == ""
