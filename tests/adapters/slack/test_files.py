"""Files both ways: what arrives, what is refused, and who sees the token."""

from pathlib import Path
from typing import Any

import pytest

from adapters.slack.adapter import SlackAdapter
from adapters.slack.outbound import LIMITS
from gateway.errors import Refused, RetryLater, SendRefused, SendUncertain
from gateway.messages import Attachment, AttachmentKind, OutgoingFile
from tests.fakes.account import Account
from tests.fakes.clock import FakeClock
from tests.fakes.faults import Answer, Drop, EndlessLine, RateLimit
from tests.fakes.slack import FakeSlack, User
from tests.fakes.slack_address import at, connected

PNG = b"\x89PNG\r\n\x1a\n" + b"pixels"


def outgoing(folder: Path, name: str, data: bytes, **more: Any) -> OutgoingFile:
    path = folder / name
    path.write_bytes(data)
    return OutgoingFile(path, name, **{"mime": "text/plain", **more})


async def sent(adapter: SlackAdapter, clock: FakeClock, *args: Any) -> Any:
    """Send files, while time goes on until their message is there."""
    import asyncio  # noqa: PLC0415 - only here

    sending = asyncio.ensure_future(adapter.send_files(*args))
    while not sending.done():
        await clock.advance(0.1)
        await asyncio.sleep(0.001)  # lets the loop read what has come
    return sending.result()


async def attached(
    server: FakeSlack, adapter: SlackAdapter, account: Account, ann: User, **more: Any
) -> Attachment:
    async with account.receiving(adapter):
        await connected(server)
        ann.sends({"notes.txt": b"12345"}, "look", **more)
        await account.gate.until(lambda gate: len(gate.messages) == 1)
    [attachment] = account.gate.messages[0].attachments
    return attachment


async def test_files_sent_together_are_one_message(
    adapter: SlackAdapter, clock: FakeClock, ann: User, tmp_path: Path
) -> None:
    thread = ann.writes("hi").ts
    files = [
        outgoing(tmp_path, "a.txt", b"a", caption="**both** <!here>"),
        outgoing(tmp_path, "b.txt", b"b", caption="**both** <!here>"),
        outgoing(tmp_path, "c.png", PNG, caption="a cat", is_image=True, mime="image/png"),
    ]
    names = await sent(adapter, clock, at(ann.dm, thread), files, "out_1")
    [message] = [one for one in ann.dm.shown() if one.is_from_bot]
    assert [(one.name, one.data) for one in message.files] == [
        ("a.txt", b"a"),
        ("b.txt", b"b"),
        ("c.png", PNG),
    ]
    assert message.shown == "both <!here>\n\na cat"
    assert message.thread_ts == thread
    assert set(names) == {f"{ann.dm.id}:{message.ts}"}


async def test_a_message_that_does_not_show_up_has_a_name_all_the_same(
    adapter: SlackAdapter, server: FakeSlack, clock: FakeClock, ann: User, tmp_path: Path
) -> None:
    server.world.file_seconds = 60.0
    [name] = await sent(adapter, clock, at(ann.dm), [outgoing(tmp_path, "a.txt", b"a")], "out_1")
    assert name.startswith(f"{ann.dm.id}:file:F")


async def test_what_cannot_be_sent_is_said(
    adapter: SlackAdapter, ann: User, tmp_path: Path
) -> None:
    gone = OutgoingFile(tmp_path / "gone.txt", "gone.txt", "text/plain")
    large = outgoing(tmp_path, "large.bin", b"")
    with large.path.open("wb") as hole:
        hole.truncate(LIMITS.file_bytes + 1)
    for file, words in (
        (gone, "no longer there"),
        (outgoing(tmp_path, "empty.txt", b""), "is empty"),
        (large, "at most 100 MB"),
    ):
        with pytest.raises(SendRefused, match=words):
            await adapter.send_files(at(ann.dm), [file], "out_1")


async def test_an_upload_that_fails_has_shown_nothing(
    adapter: SlackAdapter, server: FakeSlack, ann: User, tmp_path: Path
) -> None:
    files = [outgoing(tmp_path, "a.txt", b"a")]
    for effect in (Drop(), Answer(502), RateLimit(3)):
        server.faults.add(effect, path="/upload/", times=1)
        with pytest.raises(RetryLater):
            await adapter.send_files(at(ann.dm), files, "out_1")
    server.faults.add(Answer(400), path="/upload/", times=1)
    with pytest.raises(SendRefused, match="HTTP 400"):
        await adapter.send_files(at(ann.dm), files, "out_1")
    server.faults.add(Drop(), path="completeUpload", times=1)
    with pytest.raises(SendUncertain):
        await adapter.send_files(at(ann.dm), files, "out_1")


async def test_a_file_is_fetched_with_the_token(
    adapter: SlackAdapter, server: FakeSlack, account: Account, ann: User
) -> None:
    attachment = await attached(server, adapter, account, ann)
    assert (attachment.kind, attachment.name) == (AttachmentKind.FILE, "notes.txt")
    assert server.world.bot_token not in attachment.reference
    assert await adapter.fetch(attachment, 5) == b"12345"
    with pytest.raises(Refused, match="larger"):
        await adapter.fetch(attachment, 4)


async def test_a_file_known_by_its_id_alone_is_asked_for(
    adapter: SlackAdapter, server: FakeSlack, account: Account, ann: User
) -> None:
    attachment = await attached(server, adapter, account, ann)
    bare = Attachment(AttachmentKind.FILE, attachment.reference.split()[0], "x", "text/plain")
    assert await adapter.fetch(bare, 5) == b"12345"
    with pytest.raises(Refused, match="larger"):
        await adapter.fetch(bare, 4)
    gone = Attachment(AttachmentKind.FILE, "F0NONE", "x", "text/plain")
    with pytest.raises(Refused, match="file_not_found"):
        await adapter.fetch(gone, 5)


async def test_a_sign_in_page_instead_of_a_file_names_the_scope(
    adapter: SlackAdapter, server: FakeSlack, account: Account, ann: User
) -> None:
    attachment = await attached(server, adapter, account, ann)
    server.world.scopes.discard("files:read")
    with pytest.raises(Refused, match="files:read"):
        await adapter.fetch(attachment, 100_000)


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/a",
        "https://slack.com.evil.example/a",
        "https://evilslack.com/a",
        "http://files.slack.com/a",
        "file:///etc/passwd",
        "https://files.slack.com@evil.example/a",
        "",
    ],
)
async def test_nobody_else_is_shown_the_token(adapter: SlackAdapter, address: str) -> None:
    foreign = Attachment(AttachmentKind.FILE, f"F1 {address or 'nowhere'}", "x", "text/plain")
    with pytest.raises(Refused, match="not kept at Slack"):
        await adapter.fetch(foreign, 5)


async def test_a_redirect_is_followed_within_slack_only(
    adapter: SlackAdapter, server: FakeSlack, account: Account, ann: User
) -> None:
    attachment = await attached(server, adapter, account, ann)
    path = attachment.reference.removeprefix(attachment.reference.split()[0] + " " + server.url)
    turn = Attachment(AttachmentKind.FILE, f"F1 {server.url}/turn", "x", "text/plain")
    server.faults.add(Answer(302, b"", {"Location": path}), path="/turn", times=1)
    assert await adapter.fetch(turn, 5) == b"12345"
    server.faults.add(
        Answer(302, b"", {"Location": "https://evil.example/"}), path="/turn", times=1
    )
    with pytest.raises(Refused, match="not kept at Slack"):
        await adapter.fetch(turn, 5)
    server.faults.add(Answer(302, b"", {"Location": "/turn"}), path="/turn")
    with pytest.raises(Refused, match="from one address to the next"):
        await adapter.fetch(turn, 5)


async def test_a_file_that_ends_nowhere_is_cut_off(
    adapter: SlackAdapter, server: FakeSlack, account: Account, ann: User
) -> None:
    attachment = await attached(server, adapter, account, ann)
    server.faults.add(EndlessLine(10_000_000), path="/files-pri/", times=1)
    with pytest.raises(Refused, match="larger"):
        await adapter.fetch(attachment, 1000)
    for effect in (RateLimit(5), Answer(503)):
        server.faults.add(effect, path="/files-pri/", times=1)
        with pytest.raises(RetryLater):
            await adapter.fetch(attachment, 1000)
    server.faults.add(Answer(404), path="/files-pri/", times=1)
    with pytest.raises(Refused, match="no longer has it"):
        await adapter.fetch(attachment, 1000)
