import asyncio
import json
import sqlite3
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli.main import main
from gateway.clock import SystemClock
from gateway.config import load_settings
from gateway.contracts.linking import Change, Link
from gateway.ids import ExternalUser, PlatformName
from gateway.parts import open_store
from gateway.people.linking import Linking
from tests.messages import direct, message


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PARLEY_DATA_DIR", str(tmp_path))
    return tmp_path


async def people(*arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, main, ["people", *arguments])


async def settle(_: Change) -> None:
    return


@pytest.fixture
async def linked(data_dir: Path) -> None:
    """Leave two accounts that are linked."""
    settings = load_settings(None, {"PARLEY_DATA_DIR": str(data_dir)}).settings
    store = open_store(settings, SystemClock())
    await store.open()
    linking = Linking(store, data_dir / "pairing.key", settle, lambda: None)
    said = {}
    for platform in ("telegram", "discord"):
        said[platform] = message(address=direct("42", platform=platform), sender_name="Ann\x1b[2J")
        await store.people.admit(
            PlatformName(platform), ExternalUser("42"), name="Ann\x1b[2J", role="member"
        )
        await store.identities.meet(said[platform])
    persons = {
        name: await store.people.find(PlatformName(name), ExternalUser("42")) for name in said
    }
    here, there = persons["telegram"], persons["discord"]
    assert here is not None
    assert there is not None
    code = await linking.new_code(said["telegram"], here)
    link = await linking.use_code(said["discord"], there, str(code))
    assert isinstance(link, Link)
    await linking.say_yes(link.id, said["discord"], goes_on_there=False)
    await linking.say_yes(link.id, said["telegram"], goes_on_there=False)
    await store.close()


@pytest.mark.usefixtures("linked")
async def test_people_are_listed_with_their_accounts() -> None:
    listed = await people("list")
    assert listed.exit_code == 0
    rows = listed.stdout.splitlines()[1:]
    assert len(rows) == 2
    assert all("Ann\\x1b[2J  member  " in row for row in rows)
    assert rows[0].startswith("telegram:42")
    assert "member  discord:42 " in rows[0]
    (person,) = json.loads((await people("list", "--json")).stdout)
    assert {one["identity"] for one in person["accounts"]} == {"telegram:42", "discord:42"}
    shown = await people("show", "discord:42")
    assert "link.made" in shown.stdout
    by_id = json.loads((await people("show", person["person"], "--json")).stdout)
    assert by_id["accounts"] == person["accounts"]
    unknown = await people("show", "discord:7")
    assert (unknown.exit_code, "Nobody here has" in unknown.stderr) == (1, True)


@pytest.mark.usefixtures("linked")
async def test_accounts_are_parted_while_no_gateway_runs(data_dir: Path) -> None:
    done = await people("unlink", "telegram:42")
    assert done.stdout.startswith("telegram:42 is unlinked")
    again = await people("unlink", "telegram:42")
    assert again.stderr == "parley: telegram:42 is linked with no other account.\n"
    assert len(json.loads((await people("list", "--json")).stdout)) == 2
    connection = sqlite3.connect(data_dir / "parley.db")
    kinds = connection.execute("select kind from announcements where kind = 'unlinked'").fetchall()
    connection.close()
    assert len(kinds) == 2  # to be said at the next start


@pytest.mark.usefixtures("linked")
async def test_t71_the_trail_is_shown_and_checked(data_dir: Path) -> None:
    trail = await people("audit")
    assert "link.agreed" in trail.stdout
    assert json.loads((await people("audit", "--json")).stdout)[0]["action"] == "link.made"
    whole = await people("audit", "--check")
    assert (whole.exit_code, whole.stdout.splitlines()[0]) == (0, "The trail is whole.")
    with sqlite3.connect(data_dir / "parley.db") as connection:
        connection.execute("update audit set actor = 'slack:mallory' where number = 4")
    connection.close()
    broken = await people("audit", "--check")
    assert broken.exit_code == 1
    assert "row 4 is not as it was written" in broken.stdout
    as_json = await people("audit", "--check", "--json")
    assert (as_json.exit_code, json.loads(as_json.stdout)["first_broken"]) == (1, 4)


@pytest.mark.usefixtures("linked")
async def test_t71_a_cut_end_is_found_by_who_noted_the_last_row(data_dir: Path) -> None:
    last = json.loads((await people("audit", "--check", "--json")).stdout)["last"]
    noted = f"{last['number']}:{last['seal']}"
    assert f"Its last row is {noted}" in (await people("audit", "--check")).stdout
    for held in (noted, noted[:20]):
        result = await people("audit", "--since", held)
        assert (result.exit_code, result.stdout.splitlines()[0]) == (
            0,
            "The trail is whole, and holds it.",
        )
    with sqlite3.connect(data_dir / "parley.db") as connection:
        connection.execute("delete from audit where number = ?", [last["number"]])
    connection.close()
    assert (await people("audit", "--check")).exit_code == 0  # nothing else can tell
    cut = await people("audit", "--since", noted)
    assert cut.exit_code == 1
    assert f"The trail was cut: it ends at row {last['number'] - 1}" in cut.stdout
    await people("unlink", "telegram:42")
    anew = await people("audit", "--since", noted, "--json")
    assert (anew.exit_code, json.loads(anew.stdout)["since"]) == (1, "changed")


@pytest.mark.usefixtures("linked")
@pytest.mark.parametrize("noted", ["", "7", "x:0123456789abcdef", "7:abc"])
async def test_what_was_never_printed_is_no_row(noted: str) -> None:
    result = await people("audit", "--since", noted)
    assert (result.exit_code, "Write NUMBER:SEAL" in result.stderr) == (1, True)


@pytest.mark.usefixtures("linked")
async def test_a_role_is_given_and_taken_while_no_gateway_runs() -> None:
    given = await people("role", "telegram:42", "admin")
    assert given.stdout == "telegram:42 was member and is admin now.\n"
    (person,) = json.loads((await people("list", "--json")).stdout)
    roles = {one["identity"]: (one["role"], one["stored_role"]) for one in person["accounts"]}
    assert roles == {"telegram:42": ("admin", "admin"), "discord:42": ("member", "member")}
    again = await people("role", "telegram:42", "Admin", "--json")
    assert json.loads(again.stdout) == {
        "identity": "telegram:42",
        "before": "admin",
        "stored_role": "admin",
        "role": "admin",
    }
    lowered = await people("role", "telegram:42", "guest")
    assert lowered.stdout.startswith("telegram:42 was admin and is guest now.\nA guest is heard")
    newest = json.loads((await people("audit", "--json")).stdout)[:3]
    assert [row["action"] for row in newest] == ["role.given", "role.given", "link.made"]
    assert newest[0]["actor"] == "command line"
    assert newest[0]["facts"] == {"account": "telegram:42", "before": "admin", "role": "guest"}


@pytest.mark.usefixtures("linked")
async def test_no_command_makes_an_owner() -> None:
    owner = await people("role", "telegram:42", "owner")
    assert (owner.exit_code, "name the account in access.owners" in owner.stderr) == (1, True)
    other = await people("role", "telegram:42", "king")
    assert (other.exit_code, "Give one of: guest, member, admin." in other.stderr) == (1, True)
    nobody = await people("role", "telegram:7", "admin")
    assert (nobody.exit_code, "`parley pair admit telegram:7`" in nobody.stderr) == (1, True)
    named = await people("role", "ann", "admin")
    assert (named.exit_code, "platform's own id" in named.stderr) == (1, True)


@pytest.mark.usefixtures("linked")
async def test_what_the_settings_say_of_a_role_is_told(data_dir: Path) -> None:
    config = data_dir / "config.yaml"
    config.write_text("data_dir: .\naccess: {owners: ['telegram:42'], admins: ['discord:42']}\n")
    named = ("--config", str(config))
    lowered = await people("role", "discord:42", "guest", *named)
    assert "The settings (`access`) make it admin all the same." in lowered.stdout
    listed = await people("list", *named)
    assert "owner (settings)" in listed.stdout
    assert "admin (settings)" in listed.stdout


async def test_nobody_is_known_yet(data_dir: Path) -> None:
    settings = load_settings(None, {"PARLEY_DATA_DIR": str(data_dir)}).settings
    store = open_store(settings, SystemClock())
    await store.open()
    await store.close()
    assert (await people("list")).stdout == "Nobody is known yet.\n"


@pytest.mark.usefixtures("linked")
async def test_a_copy_is_written_for_the_operator(tmp_path: Path) -> None:
    folder = tmp_path / "copies"
    done = await people("export", "discord:42", "--to", str(folder))
    assert (done.exit_code, done.stdout) == (0, f"wrote {folder / 'export.zip'}\n")
    assert (folder / "export.zip").stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(folder / "export.zip") as archive:
        accounts = json.loads(archive.read("data.json"))["accounts"]
    assert {one["account"] for one in accounts} == {"telegram:42", "discord:42"}
    unknown = await people("export", "discord:7", "--to", str(folder))
    assert (unknown.exit_code, "is not known here" in unknown.stderr) == (1, True)
    (tmp_path / "file").touch()
    refused = await people("export", "discord:42", "--to", str(tmp_path / "file" / "x"))
    assert (refused.exit_code, "cannot write to" in refused.stderr) == (1, True)


@pytest.mark.usefixtures("linked")
async def test_t37_a_copy_is_not_written_into_what_another_has_prepared(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "copies", tmp_path / "elsewhere"
    folder.mkdir()
    prepared = folder / "export.zip"
    prepared.write_bytes(b"prepared")
    prepared.chmod(0o666)
    with prepared.open("rb") as held:
        assert (await people("export", "discord:42", "--to", str(folder))).exit_code == 0
        assert held.read() == b"prepared"
    assert prepared.stat().st_mode & 0o777 == 0o600
    prepared.unlink()
    elsewhere.write_bytes(b"untouched")
    prepared.symlink_to(elsewhere)
    assert (await people("export", "discord:42", "--to", str(folder))).exit_code == 0
    assert elsewhere.read_bytes() == b"untouched"
    assert zipfile.is_zipfile(prepared)
    assert [path.name for path in folder.iterdir()] == ["export.zip"]


@pytest.mark.usefixtures("linked")
async def test_a_person_is_erased_only_after_a_yes() -> None:
    asked = await people("forget", "telegram:42")
    assert (asked.exit_code, "Nobody can bring it back." in asked.stdout) == (1, True)
    assert len(json.loads((await people("list", "--json")).stdout)) == 1
    done = await people("forget", "telegram:42", "--yes")
    assert done.stdout == "All that was kept of telegram:42, discord:42 is erased.\n"
    assert (await people("list")).stdout == "Nobody is known yet.\n"
    whole = await people("audit", "--check")
    assert (whole.exit_code, whole.stdout.splitlines()[0]) == (0, "The trail is whole.")


@pytest.mark.usefixtures("linked")
async def test_what_the_store_tells_of_itself_is_no_part_of_the_answer(data_dir: Path) -> None:
    """As when a newer version looks at an older database, or after a crash."""
    (data_dir / "parley.db.lock").write_text("not closed in order")
    listed = await people("list", "--json")
    assert listed.exit_code == 0
    assert len(json.loads(listed.stdout)) == 1
