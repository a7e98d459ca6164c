"""Files both ways: native where they fit, a plain word where they do not."""

import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from adapters.telegram.adapter import TelegramAdapter
from adapters.telegram.settings import TelegramSettings
from gateway.errors import Refused, RetryLater, SendRefused, SendUncertain
from gateway.ids import AccountName
from gateway.messages import Attachment, AttachmentKind, OutgoingFile
from tests.fakes.account import Account
from tests.fakes.faults import Answer, Drop, RateLimit, Reset
from tests.fakes.telegram import Chat, FakeTelegram, User
from tests.fakes.telegram_address import at

PNG = b"\x89PNG\r\n" + b"pixels" * 100


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def picture(folder: Path, name: str = "a.png", data: bytes = PNG, **more: Any) -> OutgoingFile:
    path = folder / f"stored-{name}"
    path.write_bytes(data)
    return OutgoingFile(path, name, **{"mime": "image/png", "is_image": True, **more})


def paper(folder: Path, name: str = "r.pdf", data: bytes = b"%PDF", **more: Any) -> OutgoingFile:
    path = folder / f"stored-{name}"
    path.write_bytes(data)
    return OutgoingFile(path, name, mime="application/pdf", **more)


def shown(chat: Chat) -> list[tuple[str, bytes, str]]:
    return [
        (message.media.kind, message.media.data, message.text)
        for message in chat.shown()
        if message.media is not None and message.is_from_bot
    ]


async def test_a_picture_is_shown_as_one(adapter: TelegramAdapter, ann: User, folder: Path) -> None:
    [sent] = await adapter.send_files(at(ann.chat), [picture(folder, caption="**Look**")], "out_1")
    assert shown(ann.chat) == [("photo", PNG, "Look")]
    [message] = ann.chat.shown()
    assert message.entities[0]["type"] == "bold"
    assert sent == f"{ann.chat.id}:{message.message_id}"


async def test_a_file_keeps_its_name(adapter: TelegramAdapter, ann: User, folder: Path) -> None:
    name = 'Bericht\nfür "Ann".pdf'
    await adapter.send_files(at(ann.chat), [paper(folder, name)], "out_1")
    [message] = ann.chat.shown()
    assert message.media is not None
    assert message.media.name == "Bericht für 'Ann'.pdf"
    assert message.media.mime == "application/pdf"


async def test_lesson_26_pictures_together_are_one_album_each_with_its_caption(
    adapter: TelegramAdapter, server: FakeTelegram, ann: User, folder: Path
) -> None:
    files = [picture(folder, f"{n}.png", PNG + bytes([n]), caption=f"_{n}_") for n in range(4)]
    sent = await adapter.send_files(at(ann.chat), files, "out_1")
    assert [text for _, _, text in shown(ann.chat)] == ["0", "1", "2", "3"]
    assert [data[-1] for _, data, _ in shown(ann.chat)] == [0, 1, 2, 3]
    assert len({message.album for message in ann.chat.shown()}) == 1
    assert len(sent) == len(set(sent)) == 4
    assert len(server.calls("sendMediaGroup")) == 1


async def test_papers_together_are_one_album(
    adapter: TelegramAdapter, ann: User, folder: Path
) -> None:
    files = [paper(folder, f"{n}.pdf") for n in range(10)]
    assert len(await adapter.send_files(at(ann.chat), files, "out_1")) == 10
    assert {kind for kind, _, _ in shown(ann.chat)} == {"document"}


@pytest.mark.parametrize(
    "change",
    [{"mime": "image/svg+xml"}, {"mime": "image/gif"}, {"data": PNG + b"\0" * 10_000_000}],
    ids=["svg", "gif", "large"],
)
async def test_what_is_no_photo_to_telegram_goes_as_a_document(
    adapter: TelegramAdapter,
    server: FakeTelegram,
    ann: User,
    folder: Path,
    change: dict[str, Any],
) -> None:
    await adapter.send_files(at(ann.chat), [picture(folder, **change)], "out_1")
    assert [kind for kind, _, _ in shown(ann.chat)] == ["document"]
    assert server.calls("sendPhoto") == []


async def test_a_picture_that_telegram_cannot_read_goes_as_a_document(
    adapter: TelegramAdapter, ann: User, folder: Path
) -> None:
    await adapter.send_files(at(ann.chat), [picture(folder, data=b"no picture")], "out_1")
    assert shown(ann.chat) == [("document", b"no picture", "")]


async def test_one_picture_too_many_pixels_sends_its_album_as_documents(
    adapter: TelegramAdapter, server: FakeTelegram, ann: User, folder: Path
) -> None:
    server.faults.add(Answer(400, message="Bad Request: PHOTO_INVALID_DIMENSIONS"), nth=1)
    files = [picture(folder, f"{n}.png") for n in range(2)]
    await adapter.send_files(at(ann.chat), files, "out_1")
    assert [kind for kind, _, _ in shown(ann.chat)] == ["document", "document"]


async def test_a_file_over_the_limit_is_refused_in_plain_words(
    adapter: TelegramAdapter, server: FakeTelegram, ann: User, folder: Path
) -> None:
    file = paper(folder, "film.mp4")
    with file.path.open("r+b") as grown:
        grown.truncate(60_000_000)
    with pytest.raises(SendRefused, match=r"film\.mp4 has 60 MB; .* at most 50 MB"):
        await adapter.send_files(at(ann.chat), [file], "out_1")
    assert not server.calls("sendDocument")


async def test_empty_and_missing_files_are_refused(
    adapter: TelegramAdapter, ann: User, folder: Path
) -> None:
    with pytest.raises(SendRefused, match=r"e\.pdf is empty"):
        await adapter.send_files(at(ann.chat), [paper(folder, "e.pdf", b"")], "out_1")
    gone = paper(folder, "g.pdf")
    gone.path.unlink()
    with pytest.raises(SendRefused, match=r"g\.pdf is no longer there"):
        await adapter.send_files(at(ann.chat), [gone], "out_1")


async def test_a_long_caption_is_cut_where_it_is_seen(
    adapter: TelegramAdapter, ann: User, folder: Path
) -> None:
    caption = f"**{'😀' * 600}**"
    await adapter.send_files(at(ann.chat), [picture(folder, caption=caption)], "out_1")
    [message] = ann.chat.shown()
    assert message.text == "😀" * 511 + "…"


async def test_files_go_to_the_topic_and_follow_a_group_that_moved(
    adapter: TelegramAdapter, server: FakeTelegram, ann: User, folder: Path
) -> None:
    forum = server.supergroup("Forum", [ann], is_forum=True)
    topic = forum.topic("One")
    await adapter.send_files(at(forum, topic), [paper(folder)], "out_1")
    assert len(forum.shown(topic)) == 1
    old = server.group("Team", [ann])
    new = old.migrates(ann)
    await adapter.send_files(at(old), [picture(folder), picture(folder, "b.png")], "out_2")
    assert shown(new) == [("photo", PNG, "")] * 2


async def test_n3_failures_of_files_say_whether_they_can_have_arrived(
    adapter: TelegramAdapter, server: FakeTelegram, ann: User, folder: Path
) -> None:
    server.faults.add(Drop(), path="sendPhoto", times=1)
    with pytest.raises(SendUncertain):
        await adapter.send_files(at(ann.chat), [picture(folder)], "out_1")
    server.faults.add(RateLimit(9), path="sendPhoto", times=1)
    with pytest.raises(RetryLater) as told:
        await adapter.send_files(at(ann.chat), [picture(folder)], "out_1")
    assert told.value.after == 9
    server.faults.add(Answer(413, "<html>"), path="sendDocument", times=1)
    bob = server.user(43, "Bob")
    with pytest.raises(SendRefused):
        await adapter.send_files(at(bob.chat), [paper(folder)], "out_1")


def attached(message: Any, size: int | None = None) -> Attachment:
    return Attachment(AttachmentKind.FILE, message.media.file_id, "a.pdf", "application/pdf", size)


async def test_a_file_is_fetched_and_its_address_kept_to_ourselves(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account, ann: User
) -> None:
    data = bytes(range(256)) * 1000
    ann.sends_document("a b#c?.pdf", data)
    async with account.receiving(adapter):
        await account.gate.until(lambda gate: bool(gate.messages))
    [message] = account.gate.messages
    assert server.token not in repr(message)
    assert await adapter.fetch(message.attachments[0], 20_000_000) == data
    assert server.world.downloads


@pytest.mark.parametrize("size", [None, 21_000_000], ids=["untold", "told"])
async def test_a_file_too_large_to_fetch_is_refused_in_plain_words(
    adapter: TelegramAdapter, server: FakeTelegram, ann: User, size: int | None
) -> None:
    message = ann.sends_document("a.pdf", size=21_000_000)
    with pytest.raises(Refused, match="larger than the 20 MB"):
        await adapter.fetch(attached(message, size), 20_000_000)
    assert len(server.calls("getFile")) == (1 if size is None else 0)


async def test_a_file_that_grows_while_it_comes_is_cut_off(
    adapter: TelegramAdapter, ann: User
) -> None:
    message = ann.sends_document("a.pdf", b"x" * 200_000, size=10)
    with pytest.raises(Refused, match="larger"):
        await adapter.fetch(attached(message), 100_000)


async def test_a_file_that_is_gone_is_refused_in_plain_words(
    adapter: TelegramAdapter, server: FakeTelegram, ann: User
) -> None:
    unknown = Attachment(AttachmentKind.FILE, "nope", "a.pdf", "application/pdf")
    with pytest.raises(Refused, match="no longer has it"):
        await adapter.fetch(unknown, 100)
    server.faults.add(Answer(404), path="/file/bot")
    with pytest.raises(Refused, match="no longer has it"):
        await adapter.fetch(attached(ann.sends_document("a.pdf")), 100)


async def test_trouble_while_fetching_is_worth_another_try(
    adapter: TelegramAdapter, server: FakeTelegram, ann: User
) -> None:
    message = ann.sends_document("a.pdf", b"content")
    for effect, path in ((Answer(502), "getFile"), (Reset("middle"), "/file/bot")):
        server.faults.add(effect, path=path, times=1)
        with pytest.raises(RetryLater) as raised:
            await adapter.fetch(attached(message), 100)
        assert server.token not in str(raised.value)
    assert await adapter.fetch(attached(message), 100) == b"content"


async def test_a_local_server_shares_its_disk(
    server: FakeTelegram, account: Account, ann: User, folder: Path
) -> None:
    settings = TelegramSettings.model_validate({
        "token": server.token,
        "api_base": server.url,
        "local": True,
    })
    adapter = TelegramAdapter(AccountName("helper"), settings, account.kit)
    await adapter.open()
    assert adapter.limits.file_bytes == 2_000_000_000
    message = ann.sends_document("a.pdf")
    assert message.media is not None
    here = folder / "received.pdf"
    here.write_bytes(b"from the disk")
    message.media.path = str(here)
    assert await adapter.fetch(attached(message), 100) == b"from the disk"
    with pytest.raises(Refused, match="larger"):
        await adapter.fetch(attached(message), 5)
    here.unlink()
    with pytest.raises(Refused, match="no longer"):
        await adapter.fetch(attached(message), 100)
    server.faults.add(Answer(200, {"ok": True, "result": _SENT}), path="sendDocument")
    file = paper(folder)
    assert await adapter.send_files(at(ann.chat), [file], "out_1") == ["42:9"]
    [call] = server.calls("sendDocument")
    assert call.parameters["document"] == file.path.as_uri()
    await adapter.close()


async def test_a_file_on_a_shared_disk_takes_no_more_memory_than_it_has(
    server: FakeTelegram, account: Account, ann: User, folder: Path
) -> None:
    settings = TelegramSettings.model_validate({
        "token": server.token,
        "api_base": server.url,
        "local": True,
    })
    adapter = TelegramAdapter(AccountName("helper"), settings, account.kit)
    await adapter.open()
    message = ann.sends_document("a.pdf")
    assert message.media is not None
    here = folder / "received.pdf"
    here.write_bytes(b"small")
    message.media.path = str(here)
    tracemalloc.start()
    try:
        await adapter.fetch(attached(message), adapter.limits.download_bytes)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 100_000_000
    await adapter.close()


_SENT = {"message_id": 9, "chat": {"id": 42, "type": "private"}, "date": 1}
