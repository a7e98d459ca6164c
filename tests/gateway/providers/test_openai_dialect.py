"""Refusals teach which optional fields a server takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.providers.openai_dialect import Dialect, first_dialect, is_official, learn

UNRECOGNISED = "Unrecognized request argument supplied: "
REASONING = (
    "reasoning_effort Function tools with reasoning_effort are not supported for gpt-6-sol in "
    "/v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort to "
    "'none'."
)


@pytest.mark.parametrize(
    ("base_url", "official"),
    [
        ("https://api.openai.com/v1", True),
        ("https://eu.api.openai.com/v1", True),
        ("https://api.openai.com.example/v1", False),
        ("http://127.0.0.1:11434/v1", False),
        ("", False),
    ],
)
def test_the_official_server_is_known_by_its_name(base_url: str, *, official: bool) -> None:
    assert is_official(base_url) is official


def test_the_official_server_gets_its_own_fields() -> None:
    assert first_dialect("gpt-4.1", official=True) == Dialect(
        limit_fields=("max_completion_tokens", "max_tokens"), with_cache_key=True
    )
    assert first_dialect("gpt-6-sol", official=True).effort == "none"


def test_other_servers_get_the_standard_fields_only() -> None:
    dialect = first_dialect("gpt-6-sol", official=False)
    assert dialect == Dialect(with_cache_key=False, effort=None)
    assert dialect.limit_fields[0] == "max_tokens"


@pytest.mark.parametrize(
    ("dialect", "complaint", "learnt"),
    [
        (Dialect(), f"{UNRECOGNISED}stream_options", Dialect(with_usage=False)),
        (
            Dialect(),
            "[{'type': 'extra_forbidden', 'loc': ['body', 'stream_options']}]",
            Dialect(with_usage=False),
        ),
        (Dialect(with_cache_key=True), f"{UNRECOGNISED}prompt_cache_key", Dialect()),
        (
            Dialect(),
            "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
            Dialect(limit_fields=("max_completion_tokens",)),
        ),
        (
            Dialect(limit_fields=("max_completion_tokens", "max_tokens")),
            f"{UNRECOGNISED}max_completion_tokens",
            Dialect(limit_fields=("max_tokens",)),
        ),
        (
            Dialect(),
            "'max_tokens' or 'max_completion_tokens' is too large: 8192. This model's maximum is",
            Dialect(limit_fields=()),
        ),
        (
            Dialect(),
            "This model's maximum context length is 4 tokens: 2 in the input, 4 in the completion",
            Dialect(limit_fields=()),
        ),
        (Dialect(), REASONING, Dialect(effort="none")),
        (
            Dialect(effort="none"),
            f"{UNRECOGNISED}reasoning_effort",
            Dialect(effort=None, may_hush=False),
        ),
        (
            Dialect(effort="none"),
            "Unsupported value: 'reasoning_effort' does not support 'none' with this model.",
            Dialect(effort=None, may_hush=False, with_tools=False),
        ),
        (Dialect(), "llama2 does not support tools", Dialect(with_tools=False)),
        (
            Dialect(),
            "No endpoints found that support tool use",
            Dialect(with_tools=False),
        ),
    ],
)
def test_a_refusal_teaches(dialect: Dialect, complaint: str, learnt: Dialect) -> None:
    assert learn(dialect, complaint) == learnt


@pytest.mark.parametrize(
    "complaint",
    ["", "Invalid image", "prompt is too long", "max_tokens: must be an integer, not a dog"],
)
def test_other_refusals_teach_nothing(complaint: str) -> None:
    assert learn(Dialect(), complaint) is None


@given(st.sampled_from([UNRECOGNISED, "not supported: ", ""]), st.data())
def test_a_server_that_refuses_the_same_field_for_ever_is_soon_given_up(
    words: str, data: st.DataObject
) -> None:
    fields = ["stream_options", "prompt_cache_key", "max_tokens", "reasoning_effort 'none'"]
    complaint = words + data.draw(st.sampled_from(fields))
    dialect: Dialect | None = first_dialect("gpt-6-sol", official=True)
    for _ in range(3):
        dialect = dialect and learn(dialect, complaint)
    assert dialect is None
