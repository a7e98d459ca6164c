"""Providers are found by name, and loaded only then."""

import subprocess
import sys

import pytest
from pydantic import SecretStr

from gateway.errors import ConfigInvalid
from gateway.ids import AgentId
from gateway.providers.demo import DemoProvider
from gateway.providers.openai import OpenAIProvider
from gateway.providers.registry import load_provider, make_provider, provider_names
from gateway.settings import AgentSettings

MAIN = AgentId("main")


def test_the_builtin_providers_are_there() -> None:
    assert {"anthropic", "demo", "openai"} <= set(provider_names())
    assert load_provider("demo") is DemoProvider


def test_an_agent_gets_its_provider() -> None:
    settings = AgentSettings(provider="openai", api_key=SecretStr("sk-test"))
    assert isinstance(make_provider(MAIN, settings), OpenAIProvider)


def test_an_unknown_name_is_told_with_those_that_exist() -> None:
    with pytest.raises(ConfigInvalid, match="anthropic, demo, openai") as raised:
        make_provider(MAIN, AgentSettings(provider="opnai"))
    assert raised.value.path == "agents.main.provider"


@pytest.mark.parametrize("name", ["openai", "anthropic"])
def test_a_missing_key_names_its_setting_and_its_variable(name: str) -> None:
    with pytest.raises(ConfigInvalid, match=r"agents\.main\.api_key: is missing") as raised:
        make_provider(MAIN, AgentSettings(provider=name))
    assert f"{name.upper()}_API_KEY in the environment" in str(raised.value)


@pytest.mark.parametrize("key", ["sk-tést", "sk-\ntest", "sk-\x00"])
def test_a_key_that_cannot_be_one_is_told_without_showing_it(key: str) -> None:
    with pytest.raises(ConfigInvalid) as raised:
        make_provider(MAIN, AgentSettings(provider="openai", api_key=SecretStr(key)))
    assert "sk-" not in str(raised.value)


@pytest.mark.parametrize("name", ["openai", "anthropic"])
def test_making_a_provider_loads_no_sdk(name: str) -> None:
    code = (
        "import sys\n"
        "from gateway.providers.registry import make_provider\n"
        "from gateway.settings import AgentSettings\n"
        f"make_provider('main', AgentSettings(provider={name!r}, api_key='k'))\n"
        "assert not {'openai', 'anthropic', 'httpx2', 'aiohttp'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
