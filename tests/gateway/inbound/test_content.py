from gateway.inbound.content import compose
from gateway.messages import Quote
from gateway.transcript import FileBlock, TextBlock
from tests.messages import message

PHOTO = FileBlock(path="assets/cat.jpg", name="cat.jpg", mime="image/jpeg", size=3)


def test_plain_text_stays_a_plain_string() -> None:
    assert compose(message("hello"), ()) == "hello"


def test_files_follow_the_words() -> None:
    assert compose(message("see"), (PHOTO,)) == (TextBlock("see"), PHOTO)
    assert compose(message(""), (PHOTO,)) == (PHOTO,)


def test_what_a_message_answers_is_quoted_before_it() -> None:
    answer = message("why?", quote=Quote(author="Bob", text="It rains.\nA lot."))
    assert compose(answer, ()) == (
        "[In answer to a message by Bob:]\n> It rains.\n> A lot.\n\nwhy?"
    )
    own = message("why?", quote=Quote(author="", text="Yes.", is_ours=True))
    assert compose(own, ()) == "[In answer to your message:]\n> Yes.\n\nwhy?"


def test_a_long_quote_is_cut() -> None:
    content = compose(message("?", quote=Quote(author="Bob", text="x" * 5_000)), ())
    assert isinstance(content, str)
    assert len(content) < 2_100
    assert "x…" in content


def test_a_forwarded_message_says_so() -> None:
    assert compose(message("news", forwarded_from="Eve"), ()) == "[Forwarded from Eve:]\n\nnews"
