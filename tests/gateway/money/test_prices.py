"""What a call costs, and the most that one may cost."""

import pytest

from gateway.contracts.money import Amount
from gateway.contracts.provider import ModelRequest, ToolSpec
from gateway.money.prices import micros_of, most_input_tokens, worst_of
from gateway.providers.files import show_files
from gateway.providers.history import Asked
from gateway.settings import AgentSettings, Price
from gateway.transcript import Entry, FileBlock, TextBlock, Usage, UserEntry, estimate_tokens

PLAIN = Price(input=3.0, output=15.0)


def request(*entries: Entry, tools: tuple[ToolSpec, ...] = ()) -> ModelRequest:
    return ModelRequest("big", "be kind", entries, tools, lambda _: b"", "s")


def test_prices_are_for_a_million_tokens() -> None:
    assert micros_of(PLAIN, Usage(1_000_000, 100_000)) == 3_000_000 + 1_500_000
    assert micros_of(PLAIN, Usage(1, 0)) == 3
    assert micros_of(None, Usage(1_000, 1_000)) == 0


def test_what_the_server_still_had_is_cheaper_where_the_settings_say_so() -> None:
    usage = Usage(1_000, 0, cache_read_tokens=800, cache_write_tokens=100)
    assert micros_of(PLAIN, usage) == 3_000
    price = Price(input=3.0, output=15.0, cached=0.3, cache_write=3.75)
    assert micros_of(price, usage) == 300 + 240 + 375


def test_nothing_is_rounded_away() -> None:
    assert micros_of(Price(input=0.1, output=0.0), Usage(1, 0)) == 1


def test_the_worst_is_the_dearest_models_longest_answer() -> None:
    settings = AgentSettings(
        provider="demo",
        max_output_tokens=1_000,
        prices={"big": PLAIN, "small": Price(input=1.0, output=1.0)},
    )
    asked = request(UserEntry("hello"))
    tokens = most_input_tokens(asked)
    worst = worst_of(settings, ["small", "big", "free"], [asked, asked])
    assert worst == Amount(2 * tokens + 2_000, 2 * tokens * 3 + 2_000 * 15)
    assert worst_of(settings, ["free"], [asked]).micros == 0


@pytest.mark.parametrize(
    "text", ["plain words " * 50, "слова " * 50, "漢字かな交じり文" * 50, "😀" * 50]
)
def test_a_prompt_is_held_for_at_twice_its_estimate_at_least(text: str) -> None:
    assert most_input_tokens(request(UserEntry(text))) >= 2 * estimate_tokens(text) - 1


def test_tools_and_files_are_part_of_a_prompt() -> None:
    bare = most_input_tokens(request(UserEntry("look")))
    tool = ToolSpec("look", "Look at it. " * 20, {"type": "object"})
    assert most_input_tokens(request(UserEntry("look"), tools=(tool,))) > bare + 100
    for mime, size, least in (
        ("image/png", 5_000_000, 3_000),
        ("text/plain", 10_000, 5_000),
        ("application/pdf", 1_000_000, 50_000),
    ):
        block = FileBlock("a", "a", mime, size)
        entry = UserEntry((TextBlock("look"), block))
        assert most_input_tokens(request(entry)) >= bare + least


@pytest.mark.parametrize(
    ("name", "mime"),
    [
        ("notes.json", "application/json"),
        ("notes.md", "application/octet-stream"),
        ("notes", "image/svg+xml"),
        ("notes.txt", "image/png"),
        ("notes.txt", "text/plain"),
    ],
)
def test_t66_a_text_file_is_held_for_as_text_whatever_it_is_called(name: str, mime: str) -> None:
    written = "漢" * 40_000
    block = FileBlock("a", name, mime, len(written.encode()))
    shown = show_files([Asked((block,))], lambda _: written.encode())[block].words
    assert most_input_tokens(request(UserEntry((block,)))) >= 2 * estimate_tokens(shown) - 1
