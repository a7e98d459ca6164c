"""A refusal is met with a plainer request, while there is one."""

import pytest

from gateway.providers.concessions import Concessions, concede


@pytest.mark.parametrize(
    "complaint",
    [
        "messages.0.content.1.image.source.base64: image exceeds 5 MB maximum",
        "You uploaded an unsupported image. Please make sure your image is valid.",
        "No endpoints found that support image input",
        "Could not process PDF",
    ],
)
def test_what_a_server_says_of_files_makes_them_names(complaint: str) -> None:
    plainer = concede(Concessions(), complaint, has_files=True, has_calls=True)
    assert plainer == Concessions(with_files=False)


@pytest.mark.parametrize(
    "complaint",
    [
        "messages.1.content.0.type: Expected `thinking`, but found `tool_use`. When thinking is",
        "The `reasoning_content` in the thinking mode must be passed back to the API.",
        "Conversation roles must alternate user/assistant/user/assistant/...",
    ],
)
def test_what_a_server_says_of_calls_puts_them_in_words(complaint: str) -> None:
    plainer = concede(Concessions(), complaint, has_files=False, has_calls=True)
    assert plainer == Concessions(with_calls=False)


def test_nothing_is_conceded_twice_or_for_nothing() -> None:
    given = Concessions(with_files=False, with_calls=False)
    assert concede(given, "image and tool_use", has_files=True, has_calls=True) is None
    assert concede(Concessions(), "image", has_files=False, has_calls=False) is None
    assert concede(Concessions(), "max_tokens", has_files=True, has_calls=True) is None
