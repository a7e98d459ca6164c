"""A copy of everything, and its end, as people ask for them on their platforms."""

import io
import json
import zipfile
from pathlib import Path

import pytest

from tests.journeys.platform import Person, Platform
from tests.journeys.test_linking import link, on_pairs, other, pair, press
from tests.journeys.world import World

__all__ = ["other", "pair"]

SECRET = "My cat is called Mitzi."


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def copy_of(person: Person) -> dict[str, str]:
    """Ask for the copy, and return what is in it."""
    person.writes("/export")
    await person.until(lambda: any(one.file for one in person.sees()))
    (sent,) = [one.file for one in person.sees() if one.file]
    with zipfile.ZipFile(io.BytesIO(sent)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


@on_pairs
async def test_a_copy_of_everything_and_then_its_end_on_all_accounts(
    world: World, other: Platform
) -> None:
    world.config["retention"] = {"forget_after": "1m"}
    await world.start()
    here, there = world.person("Ann"), other.person("Ann")
    bob = world.platform.person("Bob")
    await here.asks(SECRET, "Mitzi")
    await bob.asks("I like honey.", "honey")
    await link(here, there)
    await there.reads("was linked with")
    copy = await copy_of(there)
    assert any(SECRET in talk for name, talk in copy.items() if name.endswith(".md"))
    accounts = {one["account"] for one in json.loads(copy["data.json"])["accounts"]}
    assert accounts == {here.identity, there.identity}
    assert "honey" not in "".join(copy.values())
    await here.asks("/forget", "nobody can bring it back")
    await press(here, "Yes, erase everything")
    await there.reads("has asked me to erase all that I keep of you")
    for person in (here, there):
        await person.reads("To me you are a stranger again.")
    await world.until_logged("person.erased")
    assert b"Mitzi" not in on_disk(world.data)
    assert b"honey" in on_disk(world.data)
    await there.asks("What is my cat called?", "What is my cat called?")
    assert "Mitzi" not in world.model.asked[-1].prompt


@on_pairs
async def test_another_account_of_the_person_can_undo_it(world: World, other: Platform) -> None:
    world.config["retention"] = {"forget_after": "1h"}
    await world.start()
    here, there = world.person("Ann"), other.person("Ann")
    await here.asks(SECRET, "Mitzi")
    await link(here, there)
    await here.asks("/forget", "nobody can bring it back")
    await press(here, "Yes, erase everything")
    await there.reads("has asked me to erase all that I keep of you")
    await press(there, "Undo")
    await there.reads("nothing is erased")
    await here.reads("took back that all I keep of you be erased")
    await there.asks("What is my cat called?", "What is my cat called?")
    assert "Mitzi" in world.model.asked[-1].prompt


@pytest.mark.parametrize("platform", ["telegram group", "discord server"], indirect=True)
async def test_in_a_group_both_are_refused(world: World) -> None:
    await world.start()
    ann = world.person("Ann")
    await ann.asks("/export", "is for direct messages")
    await ann.asks("/forget", "is for direct messages")
