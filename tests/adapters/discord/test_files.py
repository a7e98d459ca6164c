"""Files both ways: from Discord's own hosts and no others, within what it takes."""

from pathlib import Path
from typing import Any

import pytest

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.contents import decode_reference, encode_reference
from gateway.errors import Refused, RetryLater, SendRefused, SendUncertain
from gateway.messages import Attachment, AttachmentKind, OutgoingFile
from tests.adapters.discord.conftest import Receiving, at
from tests.fakes.account import Account
from tests.fakes.discord import Channel, FakeDiscord, User
from tests.fakes.faults import Answer, Drip, Drop, Reset, Truncate

MIB = 1024 * 1024
LIMIT = 1000


def paper(folder: Path, name: str = "r.pdf", size: int = 4, **more: Any) -> OutgoingFile:
    path = folder / f"stored-{len(list(folder.iterdir()))}"
    path.write_bytes(b"%" * size)
    return OutgoingFile(path, name, **{"mime": "application/pdf", **more})


def attached(url: str, size: int | None = None) -> Attachment:
    reference = encode_reference("1", "2", "3", url)
    return Attachment(AttachmentKind.FILE, reference, "a.txt", "text/plain", size)


@pytest.fixture
async def sent(receiving: Receiving, account: Account, ann: User) -> tuple[Attachment, bytes]:
    """Return a file that Ann has sent."""
    data = b"some words"
    async with receiving():
        ann.sends("a.txt", data)
        await account.gate.until(lambda gate: bool(gate.messages))
    [attachment] = account.gate.messages[0].attachments
    return attachment, data


async def test_what_people_send_is_fetched(
    adapter: DiscordAdapter, sent: tuple[Attachment, bytes]
) -> None:
    attachment, data = sent
    assert (attachment.name, attachment.mime, attachment.size) == ("a.txt", "text/plain", 10)
    assert await adapter.fetch(attachment, LIMIT) == data


async def test_an_address_that_has_run_out_is_asked_for_anew(
    adapter: DiscordAdapter, server: FakeDiscord, sent: tuple[Attachment, bytes]
) -> None:
    attachment, data = sent
    channel, message, number, url = decode_reference(attachment.reference)
    stale = encode_reference(channel, message, number, url.partition("?")[0] + "?ex=1&is=0&hm=0")
    old = Attachment(AttachmentKind.FILE, stale, attachment.name, attachment.mime)
    assert await adapter.fetch(old, LIMIT) == data
    assert len(server.calls("message")) == 1


async def test_a_file_of_a_message_that_was_taken_back_is_gone(
    adapter: DiscordAdapter, server: FakeDiscord, ann: User, sent: tuple[Attachment, bytes]
) -> None:
    attachment, _ = sent
    server.faults.add(Answer(404, b"gone"), path="/attachments/", times=1)
    ann.deletes(ann.dm.shown()[0])
    with pytest.raises(Refused, match="no longer there"):
        await adapter.fetch(attachment, LIMIT)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/a.txt",
        "http://cdn.discordapp.com/a.txt",
        "https://127.0.0.1.example.org/a.txt",
        "https://user@127.0.0.1/a.txt",
        "http://[::1]/a.txt",
        "http://localhost/a.txt",
        "file:///etc/passwd",
        "//127.0.0.1/a.txt",
        "http://169.254.169.254/latest/",
        "http://127.0.0.1:notaport/",
        "",
    ],
)
async def test_no_other_host_is_asked(adapter: DiscordAdapter, url: str) -> None:
    with pytest.raises(Refused, match=r"Discord's own hosts|cannot be read"):
        await adapter.fetch(attached(url), LIMIT)


async def test_t33_every_step_of_a_redirect_is_checked(
    adapter: DiscordAdapter, server: FakeDiscord, sent: tuple[Attachment, bytes]
) -> None:
    attachment, data = sent
    good = decode_reference(attachment.reference)[3]
    away = Answer(302, b"", {"Location": "https://example.org/a.txt"})
    server.faults.add(away, path="/attachments/", times=1)
    with pytest.raises(Refused, match="own hosts"):
        await adapter.fetch(attachment, LIMIT)
    server.faults.add(Answer(302, b"", {"Location": good}), path="/attachments/", times=5)
    assert await adapter.fetch(attachment, LIMIT) == data
    server.faults.add(Answer(302, b"", {"Location": good}), path="/attachments/", times=6)
    with pytest.raises(Refused, match="leads nowhere"):
        await adapter.fetch(attachment, LIMIT)


async def test_a_size_is_checked_before_and_while_reading(
    adapter: DiscordAdapter, server: FakeDiscord, sent: tuple[Attachment, bytes]
) -> None:
    attachment, _ = sent
    for told in (11, None):
        claims = Attachment(AttachmentKind.FILE, attachment.reference, "a", "text/plain", told)
        with pytest.raises(Refused, match="larger"):
            await adapter.fetch(claims, 9)
    server.faults.add(Drip(size=2, every=0.01), path="/attachments/")
    with pytest.raises(Refused, match="larger"):
        await adapter.fetch(
            Attachment(AttachmentKind.FILE, attachment.reference, "a", "text/plain"), 9
        )


@pytest.mark.parametrize("effect", [Reset("middle"), Answer(503), Answer(429)])
async def test_trouble_while_fetching_may_pass(
    adapter: DiscordAdapter, server: FakeDiscord, sent: tuple[Attachment, bytes], effect: Any
) -> None:
    attachment, data = sent
    server.faults.add(effect, path="/attachments/", times=1)
    with pytest.raises(RetryLater):
        await adapter.fetch(attachment, LIMIT)
    assert await adapter.fetch(attachment, LIMIT) == data


async def test_the_token_is_for_the_api_alone(
    adapter: DiscordAdapter,
    server: FakeDiscord,
    sent: tuple[Attachment, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    headers = []
    perform = server.perform

    async def noting(request: Any, *more: Any) -> Any:
        headers.append(request.headers)
        return await perform(request, *more)

    monkeypatch.setattr(server, "perform", noting)
    await adapter.fetch(sent[0], LIMIT)
    [seen] = headers
    assert "Authorization" not in seen


async def test_files_go_with_their_names_and_words(
    adapter: DiscordAdapter, general: Channel, tmp_path: Path
) -> None:
    one = paper(tmp_path, caption="**Look** at https://example.org/")
    await adapter.send_files(at(general), [one], "out_1")
    names = ("Bericht für Ann.pdf", "../../etc/passwd", "a\nb\0c.txt", "", "*b*.txt")
    many = [paper(tmp_path, name, caption="words" if number == 4 else "")
            for number, name in enumerate(names)]  # fmt: skip
    await adapter.send_files(at(general), many, "out_2")
    first, second = general.shown()
    assert first.content == "**Look** at https://example.org/"
    assert first.flags & 4
    assert first.embeds == []
    assert second.content == "\\*b\\*.txt: words"
    assert [file.name for file in second.files] == [
        "Bericht_für_Ann.pdf", "passwd", "a_b_c.txt", "file-3", "_b_.txt",
    ]  # fmt: skip


async def test_a_long_caption_is_cut_to_what_discord_takes(
    adapter: DiscordAdapter, general: Channel, tmp_path: Path
) -> None:
    await adapter.send_files(at(general), [paper(tmp_path, caption="x" * 3000)], "out_1")
    [message] = general.shown()
    assert len(message.content) == 2000
    assert message.content.endswith("…")


async def test_files_too_large_together_are_more_messages(
    adapter: DiscordAdapter, general: Channel, tmp_path: Path
) -> None:
    files = [paper(tmp_path, f"{size}.bin", size * MIB) for size in (9, 9, 9, 1)]
    sent = await adapter.send_files(at(general), files, "out_1")
    assert [len(message.files) for message in general.shown()] == [2, 2]
    assert len(set(sent)) == 2
    assert sent[0] == sent[1] != sent[2] == sent[3]


async def test_r6_an_album_in_doubt_is_sent_once(
    adapter: DiscordAdapter, server: FakeDiscord, general: Channel, tmp_path: Path
) -> None:
    files = [paper(tmp_path, f"{number}.bin", 9 * MIB) for number in range(3)]
    server.faults.add(Drop(), path="/messages", nth=2)
    with pytest.raises(SendUncertain):
        await adapter.send_files(at(general), files, "out_1")
    await adapter.send_files(at(general), files, "out_1")
    assert [len(message.files) for message in general.shown()] == [2, 1]


async def test_what_discord_does_not_take_is_refused_in_words(
    adapter: DiscordAdapter, server: FakeDiscord, general: Channel, tmp_path: Path
) -> None:
    with pytest.raises(SendRefused, match=r"r\.pdf has 11\.0 MiB; Discord takes at most 10 MiB"):
        await adapter.send_files(at(general), [paper(tmp_path, size=11 * MIB)], "out_1")
    server.faults.add(Answer(413, {"message": "Request entity too large", "code": 40005}), times=1)
    with pytest.raises(SendRefused, match="larger than Discord takes"):
        await adapter.send_files(at(general), [paper(tmp_path)], "out_2")
    assert general.shown() == []


async def test_half_an_answer_is_in_doubt(
    adapter: DiscordAdapter, server: FakeDiscord, general: Channel, tmp_path: Path
) -> None:
    server.faults.add(Truncate(), path="/messages", times=1)
    with pytest.raises(SendUncertain):
        await adapter.send_files(at(general), [paper(tmp_path)], "out_1")
