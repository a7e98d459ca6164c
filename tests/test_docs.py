"""What the documents say is true: paths exist, commands are those that CI runs."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md"), ROOT / "bench/README.md"])
PATH = re.compile(r"`((?:gateway|adapters|tests|bench|docs|scripts|changes)/[\w./-]*)`")
LINK = re.compile(r"\]\(((?!https?:)[\w./-]+)\)")
EVENT = re.compile(r'\blog\.(?:debug|info|warning|error|exception)\(\s*"(\w+\.\w+)"')
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


@pytest.mark.parametrize(("page", "letter"), [("delivery.md", "R"), ("security.md", "T")])
def test_promises_and_threats_named_in_the_docs_have_a_test(page: str, letter: str) -> None:
    tests = "\n".join(path.read_text() for path in ROOT.glob("tests/**/test_*.py"))
    tests += "\n".join(path.read_text() for path in ROOT.glob("tests/contracts/*.py"))
    named = re.findall(rf"^\| ({letter}\d+) \|", (ROOT / "docs" / page).read_text(), re.MULTILINE)
    assert named
    untested = {name for name in named if f"_{name.lower()}_" not in tests}
    assert untested == set()


def test_every_fault_of_the_network_is_shown_wherever_the_docs_say_and_nowhere_else() -> None:
    page = (ROOT / "docs/delivery.md").read_text()
    table = page.partition("| Fault | Where |")[2].partition("\n\n")[0]
    named = {
        (row, place)
        for row, places in re.findall(r"^\| `([\w -]+)`[^|]*\| ([^|]+) \|", table, re.MULTILINE)
        for place in places.split(", ")
    }
    assert named
    assert set(_faults_shown()) == named


def _faults_shown() -> Iterator[tuple[str, str]]:
    """Yield row and place of each mark that a test carries."""
    sources = (path.read_text() for path in ROOT.glob("tests/**/test_*.py"))
    for source in sources:
        for node in ast.walk(ast.parse(source if "mark.fault(" in source else "")):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.fault":
                row, *places = (ast.literal_eval(argument) for argument in node.args)
                yield from ((row, place) for place in places)


def test_every_event_in_the_log_is_explained_and_each_that_is_explained_exists() -> None:
    sources = [*ROOT.glob("gateway/**/*.py"), *ROOT.glob("adapters/**/*.py")]
    logged = {event for path in sources for event in EVENT.findall(path.read_text())}
    page = (ROOT / "docs/operating.md").read_text()
    table = page.partition("## Logs")[2].partition("\n## ")[0]
    firsts = [line.split("|")[1] for line in table.splitlines() if line.startswith("|")]
    explained = {event for first in firsts for event in re.findall(r"`(\w+\.\w+)`", first)}
    assert explained == logged
