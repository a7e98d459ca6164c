"""Keeps the shape of the code: floors, sizes, and a core that knows no platform by name."""

import ast
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted([*ROOT.glob("gateway/**/*.py"), *ROOT.glob("adapters/**/*.py")])

FLOORS = {
    0: {"messages", "events", "transcript", "session_key", "errors", "ids", "clock", "chat_text"},
    1: {"settings", "workspace", "listening"},
    1.5: {"contracts"},
    2: {
        "runners", "replies", "sessions", "people", "store", "providers", "tools", "hooks",
        "vault", "web", "config", "logs", "money",
    },
    3: {"pools"},
    4: {"commands"},
    5: {"inbound"},
    5.5: {"control"},
    5.9: {"parts"},
    6: {"app"},
    6.1: {"cli"},
    6.2: {"__main__"},
}  # fmt: skip
FLOOR_OF = {name: floor for floor, names in FLOORS.items() for name in names}
HIGHEST_FOR_ADAPTERS = 1.5

FILE_LINES, FILE_MEDIAN = 400, 130
FUNCTION_LINES, FUNCTION_MEDIAN, FUNCTION_P95 = 60, 6, 35
PUBLIC_METHODS = 10


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{shown(path)} imports relatively"
            yield node.module or ""


def part(module: str) -> str:
    """Name the part of the gateway that a module belongs to: its first name below."""
    return module.split(".")[1] if "." in module else ""


@pytest.mark.parametrize("path", SOURCES, ids=shown)
def test_a_file_imports_lower_floors_or_its_own_package(path: Path) -> None:
    names = path.relative_to(ROOT).with_suffix("").parts
    if names[0] == "adapters":
        own, floor = f"adapters.{names[1]}", HIGHEST_FOR_ADAPTERS + 0.1
    elif names[1:] == ("__init__",):
        own, floor = "gateway", 0.0
    else:
        own, floor = f"gateway.{names[1]}", FLOOR_OF[names[1]]
    for module in imports(path):
        if module.startswith(own):
            continue
        if module.split(".")[0] == "adapters":
            assert names[1] == "parts", f"{shown(path)} imports {module}"
        if module.split(".")[0] == "gateway":
            below = FLOOR_OF[part(module)] < floor or floor == 0 == FLOOR_OF[part(module)]
            assert below, f"{shown(path)} imports {module}"


def test_floor_zero_needs_only_the_standard_library() -> None:
    import sys  # noqa: PLC0415 - only this test asks what the standard library holds

    for name in FLOORS[0]:
        for module in imports(ROOT / "gateway" / f"{name}.py"):
            top = module.split(".")[0]
            assert top == "gateway" or top in sys.stdlib_module_names, f"{name} imports {module}"


@pytest.mark.parametrize("path", sorted(ROOT.glob("gateway/**/*")), ids=shown)
def test_the_core_names_no_platform(path: Path) -> None:
    if path.suffix in {".py", ".mako", ".ini"}:
        found = re.search("telegram|discord|slack", path.read_text(), re.IGNORECASE)
        assert found is None, f"{shown(path)} says {found}"


def functions() -> Iterator[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef, int]]:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, node, (node.end_lineno or node.lineno) - node.lineno + 1


def test_files_are_small() -> None:
    lengths = {shown(path): len(path.read_text().splitlines()) for path in SOURCES}
    assert {name: n for name, n in lengths.items() if n > FILE_LINES} == {}
    assert statistics.median(n for n in lengths.values() if n > 1) <= FILE_MEDIAN


def test_functions_are_short() -> None:
    found = list(functions())
    long = {f"{shown(path)}:{node.name}": n for path, node, n in found if n > FUNCTION_LINES}
    assert long == {}
    lengths = sorted(n for _, _, n in found)
    assert statistics.median(lengths) <= FUNCTION_MEDIAN
    assert lengths[int(len(lengths) * 0.95)] <= FUNCTION_P95


def test_classes_promise_little() -> None:
    wide: dict[str, int] = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                public = [
                    item.name
                    for item in node.body
                    if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)
                    and not item.name.startswith("_")
                    and not any(
                        isinstance(mark, ast.Name) and mark.id in {"property", "override"}
                        for mark in item.decorator_list
                    )
                ]
                if len(public) > PUBLIC_METHODS:
                    wide[f"{shown(path)}:{node.name}"] = len(public)
    assert wide == {}


@pytest.mark.parametrize("path", sorted(ROOT.glob("adapters/*/adapter.py")), ids=shown)
def test_every_adapter_has_the_same_files(path: Path) -> None:
    files = {file.name for file in path.parent.glob("*.py")}
    assert {"adapter.py", "inbound.py", "outbound.py", "transport.py", "settings.py"} <= files
