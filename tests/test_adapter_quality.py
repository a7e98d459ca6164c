"""The tier that docs/adapter-quality.md gives an adapter is one whose rules it keeps."""

import re
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from gateway import errors
from gateway.contracts import adapter as contract
from gateway.parts import adapter_type
from tests.contracts.adapter_contract import AdapterContract
from tests.journeys.conftest import PLATFORMS

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/adapter-quality.md").read_text()
TIERS = ("Bronze", "Silver", "Gold")
TIER_OF = dict(re.findall(rf"^\| (\w+) \| ({'|'.join(TIERS)}) \|", PAGE, re.MULTILINE))
FILES = {"adapter.py", "inbound.py", "outbound.py", "transport.py", "settings.py"}
ABILITIES = {
    "S1": (contract.EditsMessages, contract.ShowsDrafts),
    "S2": (contract.SendsFiles,),
    "S3": (contract.ShowsTyping,),
    "G1": (contract.AsksChoices,),
}
RECORDED = 10


def failures(name: str) -> Iterator[str]:
    """Yield the rules that an adapter breaks, of those that a test can check."""
    kind = adapter_type(name, "adapters")
    sources = list((ROOT / "adapters" / name).rglob("*.py"))
    tests = ROOT / "tests/adapters" / name
    told = "\n".join(path.read_text() for path in tests.rglob("test_*.py"))
    if f"({AdapterContract.__name__})" not in told:
        yield "B1"
    if not {path.name for path in sources} >= FILES:
        yield "B2"
    if not entry_points(group="parley.settings", name=name):
        yield "B3"
    raised = {
        error
        for path in sources
        for error in re.findall(r"raise (\w+)\(", path.read_text())
        if hasattr(errors, error)
    }
    if any(error not in told for error in raised):
        yield "B4"
    for rule, abilities in ABILITIES.items():
        if not issubclass(kind, abilities):
            yield rule
    if not issubclass(kind, contract.FetchesFiles):
        yield "S2"
    if name not in {platform.name for platform in PLATFORMS.values()}:
        yield "S4"
    payloads = [path.read_text() for path in (tests / "payloads").glob("*.json")]
    if sum('"recorded":' in payload for payload in payloads) < RECORDED:
        yield "G2"


def tier_allowed(name: str) -> str | None:
    """Return the best tier whose checked rules an adapter keeps."""
    broken = set(failures(name))
    kept = None
    for tier in TIERS:
        if any(rule.startswith(tier[0]) for rule in broken):
            break
        kept = tier
    return kept


def test_every_adapter_has_a_tier() -> None:
    assert set(TIER_OF) == {path.parent.name for path in ROOT.glob("adapters/*/adapter.py")}


@pytest.mark.parametrize("name", sorted(TIER_OF))
def test_the_tier_is_earned_and_told_in_the_source(name: str) -> None:
    allowed = tier_allowed(name)
    assert allowed is not None
    assert TIERS.index(TIER_OF[name]) <= TIERS.index(allowed), set(failures(name))
    docstring = (ROOT / "adapters" / name / "adapter.py").read_text().split('"""')[1]
    assert f"Quality: {TIER_OF[name].lower()}" in docstring


def test_every_rule_that_a_test_checks_is_on_the_page() -> None:
    marked = set(re.findall(r"^\| ([BSG]\d) \|.*\| test \|$", PAGE, re.MULTILINE))
    source = Path(__file__).read_text()
    assert marked
    assert {rule for rule in marked if f'"{rule}"' not in source} == set()
