"""What a model is shown of files, and what it is only told."""

from base64 import b64encode

import pytest

from gateway.providers.files import (
    FILES_LIMIT,
    IMAGE_LIMIT,
    Document,
    Picture,
    Shown,
    name_files,
    picture_mime,
    show_files,
)
from gateway.providers.history import Asked
from gateway.transcript import TEXT_LIMIT, FileBlock
from tests.fakes.histories import PDF, PNG


def shown(data: bytes, *, path: str = "a.bin", mime: str = "", size: int | None = None) -> Shown:
    block = FileBlock(path, path, mime, len(data) if size is None else size)
    return show_files([Asked((block,))], lambda _: data)[block]


def test_a_picture_is_shown_as_what_it_is_not_as_what_it_claims() -> None:
    jpeg = b"\xff\xd8\xff" + bytes(9)
    assert shown(jpeg, mime="image/png").media == Picture(
        "image/jpeg", b64encode(jpeg).decode("ascii")
    )


@pytest.mark.parametrize(
    ("data", "mime"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a..", "image/gif"),
        (b"RIFF....WEBPVP8 ", "image/webp"),
        (b"RIFF....WAVEfmt ", None),
        (b"BM......", None),
        (b"", None),
    ],
)
def test_pictures_are_known_by_their_first_bytes(data: bytes, mime: str | None) -> None:
    assert picture_mime(data) == mime


def test_a_pdf_is_shown_as_a_document() -> None:
    told = shown(PDF, path="scan.pdf", mime="application/pdf")
    assert told.media == Document("scan.pdf", b64encode(PDF).decode("ascii"))
    assert "scan.pdf" in told.words


def test_a_text_file_is_shown_as_text_with_its_path() -> None:
    told = shown("Grüße".encode(), path="in/notes.txt", mime="text/plain")
    assert "in/notes.txt" in told.words
    assert "Grüße" in told.words
    assert told.media is None


def test_a_long_text_is_cut_with_a_word_about_it() -> None:
    told = shown(b"a" * (TEXT_LIMIT + 1), path="log.txt", mime="text/plain")
    assert told.words.count("a") < TEXT_LIMIT + 100
    assert "Cut here" in told.words
    assert "Cut here" not in shown(b"a" * TEXT_LIMIT, path="l.txt", mime="text/plain").words


def test_other_files_are_named_with_kind_and_size() -> None:
    told = shown(bytes(2_345_678), path="a.zip", mime="application/zip")
    assert told.words == "[The file a.zip, application/zip, 2 MB.]"
    assert told.media is None


def test_bytes_that_claim_to_be_text_are_only_named() -> None:
    assert shown(b"\0\1\2", path="a.txt", mime="text/plain").words.startswith("[The file a.txt,")


def test_a_picture_too_large_for_a_server_is_only_named() -> None:
    told = shown(PNG + bytes(IMAGE_LIMIT), mime="image/png")
    assert told.media is None
    assert "too large" in told.words


def test_a_file_that_is_gone_says_so() -> None:
    block = FileBlock("a.txt", "a.txt", "text/plain", 3)

    def gone(path: str) -> bytes:
        raise FileNotFoundError(path)

    assert "no longer there" in show_files([Asked((block,))], gone)[block].words


def test_the_newest_files_are_shown_first_when_there_are_too_many() -> None:
    blocks = [FileBlock(f"{n}.png", f"{n}.png", "image/png", 9) for n in range(FILES_LIMIT + 1)]
    found = show_files([Asked((block,)) for block in blocks], lambda _: PNG)
    assert found[blocks[0]].media is None
    assert all(found[block].media for block in blocks[1:])


def test_all_files_together_stay_within_bounds() -> None:
    big = PNG + bytes(3_000_000)
    blocks = [FileBlock(f"{n}.png", "x", "image/png", len(big)) for n in range(10)]
    found = show_files([Asked(tuple(blocks))], lambda _: big)
    assert sum(one.media is not None for one in found.values()) == 6
    assert found[blocks[-1]].media is not None


def test_naming_opens_nothing() -> None:
    block = FileBlock("cat.png", "cat.png", "image/png", 12)
    assert name_files([Asked((block,))])[block] == Shown("[The file cat.png, image/png, 12 bytes.]")
