"""The example of a configuration is right, and complete."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from gateway.config import load_settings
from gateway.config.installed import Installed
from gateway.settings import GatewaySettings

EXAMPLE = Path(__file__).parent.parent / "config.example.yaml"
HIDDEN_SETTING = re.compile(r"^( *)#(?=\w| {2,})", re.MULTILINE)
"""Words for people have one space after the mark."""
ENVIRON = {
    "ANTHROPIC_API_KEY": "k" * 20,
    "TELEGRAM_BOT_TOKEN": "123456:first-token",
    "SECOND_BOT_TOKEN": "234567:second-token",
    "DISCORD_BOT_TOKEN": "MTA.first.token",
    "SLACK_BOT_TOKEN": "xoxb-first-token",
    "SLACK_APP_TOKEN": "xapp-first-token",
}


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Return a model and every model inside it."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models(field.annotation)
    for argument in get_args(annotation):
        yield from models(argument)


def test_the_example_loads_as_it_is_without_any_variable() -> None:
    loaded = load_settings(EXAMPLE, {})
    assert loaded.warnings == ()
    assert loaded.settings.agents["main"].provider == "demo"


def test_the_example_shows_the_defaults() -> None:
    settings = load_settings(EXAMPLE, {}).settings
    plain = GatewaySettings(data_dir=settings.data_dir, agents=settings.agents)
    assert settings == plain
    agent = settings.agents["main"]
    assert agent == type(agent)(provider="demo")


def test_every_setting_that_is_commented_out_is_right(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    # Read plainly first: of a default and the example below it, that takes the example.
    document = yaml.safe_load(HIDDEN_SETTING.sub(r"\1", EXAMPLE.read_text()))
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    loaded = load_settings(file, ENVIRON)
    accounts = ["telegram", "discord", "slack", "second_bot", "terminal"]
    assert list(loaded.settings.adapters) == accounts
    assert loaded.settings.access.owners == ("telegram:123456789",)
    assert loaded.warnings == ()


@pytest.mark.parametrize("platform", [None, *Installed().platforms()])
def test_every_setting_is_mentioned(platform: str | None) -> None:
    top = GatewaySettings if platform is None else Installed().settings_type(platform)
    text = EXAMPLE.read_text()
    for model in models(top):
        for name in model.model_fields:
            assert re.search(rf"^[ #]*{name}:", text, re.MULTILINE), f"{model.__name__}.{name}"
