"""What the documents say is true: paths exist, commands are those that CI runs."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md"), ROOT / "bench/README.md"])
PATH = re.compile(r"`((?:gateway|adapters|tests|bench|docs|scripts|changes)/[\w./-]*)`")
LINK = re.compile(r"\]\(((?!https?:)[\w./-]+)\)")
FRAGMENT = re.compile(r"[\w-]+\.(added|changed|fixed|removed|security)\.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_and_link_leads_somewhere(page: Path) -> None:
    text = page.read_text()
    missing = [path for path in PATH.findall(text) if not (ROOT / path).exists()]
    missing += [link for link in LINK.findall(text) if not (page.parent / link).exists()]
    assert missing == []


def test_ci_runs_exactly_the_test_line_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    lines = [line for line in readme.splitlines() if line.startswith("python3 -m venv")]
    assert len(lines) == 2
    start, test = lines
    assert start.endswith("parley chat")
    assert test in (ROOT / ".ci/run").read_text().splitlines()


def test_change_fragments_are_named_by_kind_and_say_one_sentence() -> None:
    for fragment in (ROOT / "changes").iterdir():
        assert FRAGMENT.fullmatch(fragment.name), fragment.name
        text = fragment.read_text().strip()
        assert text.endswith("."), fragment.name
        assert len(re.findall(r"\.(?:\s|$)", text)) == 1, fragment.name


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = sorted(int(page.name[:4]) for page in ROOT.glob("docs/decisions/*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


def test_promises_and_threats_named_in_the_docs_have_a_test() -> None:
    tests = "\n".join(path.read_text() for path in ROOT.glob("tests/**/test_*.py"))
    tests += "\n".join(path.read_text() for path in ROOT.glob("tests/contracts/*.py"))
    delivery = (ROOT / "docs/delivery.md").read_text()
    promised = set(re.findall(r"^\| (R\d+) \|", delivery, re.MULTILINE))
    assert promised
    untested = {name for name in promised if f"_{name.lower()}_" not in tests}
    assert untested == set()
