"""A session may use the agent's models, and no other."""

import pytest

from gateway.errors import Refused
from gateway.pools.models import allowed_models, check_model, session_model
from gateway.settings import AgentSettings

SETTINGS = AgentSettings(
    provider="demo", model="big", fallback_models=("small", "big"), models=("odd", "small")
)
ALLOWED = ("big", "small", "odd")


def test_each_model_is_named_once_the_default_first() -> None:
    assert allowed_models(SETTINGS, "theirs") == ALLOWED


def test_an_agent_that_names_no_model_uses_its_providers() -> None:
    assert allowed_models(AgentSettings(provider="demo"), "theirs") == ("theirs",)


def test_a_model_outside_the_settings_is_refused() -> None:
    assert check_model("odd", ALLOWED) == "odd"
    with pytest.raises(Refused, match="gpt-9"):
        check_model("gpt-9", ALLOWED)


def test_a_choice_that_is_no_longer_allowed_gives_way_to_the_default() -> None:
    assert session_model("odd", ALLOWED) == "odd"
    assert session_model("gone", ALLOWED) == "big"
    assert session_model(None, ALLOWED) == "big"
