"""What refusals mean, and what may be said of them."""

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ProviderFailed, ProviderUnavailable
from gateway.providers.failures import (
    LONGEST_WAIT,
    Rejected,
    failure,
    read_complaint,
    retry_after,
    shown,
    stream_failure,
)

NOW = 1_800_000_000.0


def fails(status: int, body: str = "{}", **headers: str) -> ProviderFailed:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return failure(Rejected(status, named, body.encode()), model="gpt-x", now=NOW)


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 529])
def test_what_passes_by_itself_is_unavailable(status: int) -> None:
    error = fails(status, '{"error": {"message": "try later"}}', retry_after="7")
    assert isinstance(error, ProviderUnavailable)
    assert error.after == 7.0


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 415, 422])
def test_what_no_waiting_mends_has_failed(status: int) -> None:
    assert not isinstance(fails(status), ProviderUnavailable)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_the_operators_business_and_is_not_quoted(status: int) -> None:
    error = fails(status, '{"error": {"message": "Incorrect API key provided: sk-abc123def."}}')
    assert "api_key" in str(error)
    assert "sk-" not in str(error)


def test_an_unknown_model_is_named() -> None:
    assert '"gpt-x"' in str(fails(404, '{"error": {"message": "no such model"}}'))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (429, '{"error": {"message": "You exceeded...", "code": "insufficient_quota"}}'),
        (402, "{}"),
        (400, '{"type":"error","error":{"message":"Your credit balance is too low to access"}}'),
        (403, '{"error": {"type": "billing_error", "message": "pay"}}'),
    ],
)
def test_an_empty_account_is_not_waited_for(status: int, body: str) -> None:
    error = fails(status, body)
    assert not isinstance(error, ProviderUnavailable)
    assert "credit" in str(error)


@pytest.mark.parametrize(
    "words",
    [
        "This model's maximum context length is 8192 tokens. However, your messages resulted in",
        "prompt is too long: 210000 tokens > 200000 maximum",
        "Input is too long for requested model.",
        "the request exceeds the available context size, try increasing it",
        "Your input exceeds the context window of this model.",
    ],
)
def test_a_conversation_too_long_says_what_to_do(words: str) -> None:
    error = fails(400, f'{{"error": {{"message": "{words}"}}}}')
    assert "/compact" in str(error)
    assert "/new" in str(error)


def test_tokens_per_minute_are_no_matter_of_length() -> None:
    error = fails(429, '{"error": {"message": "Too many tokens, please wait."}}')
    assert isinstance(error, ProviderUnavailable)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error": {"message": "no", "type": "t", "code": 7, "param": null}}', "no"),
        (b'{"error": "no"}', "no"),
        (b'{"object": "error", "message": "no"}', "no"),
        (b'{"detail": "no"}', "no"),
        (b'{"detail": [{"loc": ["body", "x"]}]}', "[{'loc': ['body', 'x']}]"),
        (b"<html>no</html>", "<html>no</html>"),
        (b"\xff", "�"),
        (b"[1]", "[1]"),
        (b"null", "None"),
    ],
)
def test_complaints_of_any_shape_are_read(body: bytes, words: str) -> None:
    assert read_complaint(body).words == words


def test_a_request_that_is_quoted_is_not_searched_for_names() -> None:
    quoted = read_complaint(b'{"detail": "bad input: ' + b"x" * 600 + b' stream_options"}')
    assert "stream_options" not in quoted.everything


def test_the_servers_words_are_shown_short_and_without_secrets() -> None:
    told = shown("Bad\nrequest to https://u:p@host/v1?key=1 with sk-proj-abcdef " + "x" * 500)
    assert told.startswith("Bad request to *** with *** x")
    assert len(told) <= 200
    assert "\n" not in told


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "12"}, 12.0),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "86400"}, LONGEST_WAIT),
        ({"retry-after": "1000000000"}, LONGEST_WAIT),
        ({"retry-after": "inf"}, LONGEST_WAIT),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": formatdate(NOW + 90, usegmt=True)}, 90.0),
        ({"retry-after": formatdate(NOW - 90, usegmt=True)}, 0.0),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "x", "retry-after": "9"}, 9.0),
    ],
)
@pytest.mark.fault("penalty", "models")
def test_the_wait_a_server_asks_for(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


@given(st.text())
def test_no_header_can_break_the_wait(value: str) -> None:
    wait = retry_after({"retry-after": value}, NOW)
    assert wait is None or 0 <= wait <= LONGEST_WAIT


@given(st.integers(400, 599), st.binary())
def test_every_refusal_becomes_short_words(status: int, body: bytes) -> None:
    assert 0 < len(str(failure(Rejected(status, {}, body), model="m", now=NOW))) < 300


@pytest.mark.parametrize(
    "event",
    [
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
        {"type": "error", "error": {"type": "api_error", "message": "Internal"}},
        {"error": {"message": "oops", "type": "server_error"}},
        {"error": {"message": "oops", "code": 502}},
        {"error": "oops"},
    ],
)
def test_an_error_within_an_answer_that_passes(event: object) -> None:
    assert isinstance(stream_failure(event), ProviderUnavailable)


def test_an_error_within_an_answer_that_stays() -> None:
    event = {"error": {"message": "Bad image", "type": "invalid_request_error"}}
    error = stream_failure(event)
    assert not isinstance(error, ProviderUnavailable)
    assert "Bad image" in str(error)
    event = {"error": {"message": "x", "type": "y", "code": "context_length_exceeded"}}
    assert "/compact" in str(stream_failure(event))
    event = {"error": {"message": "x", "code": "insufficient_quota"}}
    assert "credit" in str(stream_failure(event))
