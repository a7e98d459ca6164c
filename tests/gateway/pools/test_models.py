"""A session may use the agent's models, and no other."""

import pytest

from gateway.errors import Refused
from gateway.pools.models import allowed_models, check_model, session_model
from gateway.settings import AgentSettings

SETTINGS = AgentSettings(
    provider="demo", model="big", fallback_models=("small", "big"), models=("odd", "small")
)


def test_each_model_is_named_once_the_default_first() -> None:
    assert allowed_models(SETTINGS) == ("big", "small", "odd")


def test_a_model_outside_the_settings_is_refused() -> None:
    assert check_model("odd", SETTINGS) == "odd"
    with pytest.raises(Refused, match="gpt-9"):
        check_model("gpt-9", SETTINGS)


def test_a_choice_that_is_no_longer_allowed_gives_way_to_the_default() -> None:
    assert session_model("odd", SETTINGS) == "odd"
    assert session_model("gone", SETTINGS) == "big"
    assert session_model(None, SETTINGS) == "big"
