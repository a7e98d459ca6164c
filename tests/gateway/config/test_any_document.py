"""Whatever a file says, the answer is settings or a list of problems."""

import contextlib
import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.config import load_settings
from gateway.errors import ConfigInvalid
from gateway.settings import AccessSettings, AgentSettings, GatewaySettings
from tests.fakes.installed import FakeInstalled, ParrotSettings

NAMES = sorted({
    name
    for model in (GatewaySettings, AgentSettings, AccessSettings, ParrotSettings)
    for name in model.model_fields
})
WORDS = st.sampled_from(["", "main", "parrot", "demo", "off", "owl:1", "30m", "${A}", "${B}"])
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=5)


def documents(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.sampled_from([*NAMES, "main", "parrot", "owl", "owl:1"]) | st.text(max_size=3)
    return st.lists(inner, max_size=3) | st.dictionaries(names | st.integers(), inner, max_size=4)


def read(document: Any) -> None:
    with tempfile.TemporaryDirectory() as directory, contextlib.suppress(ConfigInvalid):
        file = Path(directory) / "config.yaml"
        file.write_text(yaml.safe_dump(document), encoding="utf-8")
        load_settings(file, {"A": "5", "PARROT_BOT_TOKEN": "t"}, FakeInstalled())


@given(st.recursive(PLAIN, documents, max_leaves=12))
@example({"agents": {1: {"provider": "demo"}}})
@example({"adapters": {"parrot": {"platform": ["parrot"]}}})
@example({"adapters": {"parrot": {1: 2}}})
def test_any_document_is_read_or_refused(document: Any) -> None:
    read(document)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.recursive(PLAIN, documents, max_leaves=4)
            for name in GatewaySettings.model_fields
        },
    )
)
def test_any_section_is_read_or_refused(document: Any) -> None:
    read(document)


@given(
    st.dictionaries(
        st.sampled_from(["parrot", "owl", "x"]),
        st.dictionaries(
            st.sampled_from(sorted(ParrotSettings.model_fields)),
            PLAIN | st.lists(PLAIN),
            max_size=5,
        ),
    )
)
def test_any_account_is_read_or_refused(accounts: Any) -> None:
    read({"adapters": accounts})
