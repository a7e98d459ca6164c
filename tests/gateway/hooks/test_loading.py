"""Installed hooks are found; one that cannot be made keeps nobody else from working."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.hooks.loading import load_hooks
from tests.fakes.packages import install

SOURCE = """
from gateway.contracts.hook import Hook

class Good(Hook):
    pass

class Broken(Hook):
    def __init__(self):
        raise RuntimeError("broken")
"""


def test_hooks_of_installed_packages_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = "good = extra_hooks:Good\nbad = extra_hooks:Broken\ngone = no_such_module:Hook"
    install(tmp_path, monkeypatch, "extra_hooks", SOURCE, hooks=lines)
    with capture_logs() as logs:
        hooks = load_hooks()
    assert [type(hook).__name__ for hook in hooks] == ["Good"]
    assert {line["hook"] for line in logs} == {"bad", "gone"}
