"""The tree shows the architecture, and imports go one way."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "shaketable"


def imports(path: Path) -> Iterator[str]:
    """The modules that a file names, `from a import b` as `a` and `a.b`; imports for type checkers left out."""
    for node in walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """Every node, but for what stands under `if TYPE_CHECKING`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        yield child
        yield from walk(child)


def offenders(folder: str, forbidden: str) -> list[str]:
    files = [ROOT / folder] if folder.endswith(".py") else sorted((ROOT / folder).rglob("*.py"))
    assert files, f"{folder} is not where this test looks"
    pattern = re.compile(forbidden)
    return [f"{path.relative_to(ROOT)}: {name}" for path in files for name in imports(path) if pattern.fullmatch(name)]


@pytest.mark.parametrize(
    ("folder", "forbidden", "why"),
    [
        ("shaketable", r"reference_impl(\..*)?", "the target is reached over HTTP, Redis and Postgres alone"),
        ("reference_impl", r"shaketable(\..*)?", "the reference must stand without its tester"),
        ("shaketable", r"locust(\..*)?", "Locust patches the process that imports it"),
        ("shaketable/faults/kinds", r"shaketable\.(target|runner|faults\.context)(\..*)?", "faults see protocols"),
        ("shaketable/stack/local.py", r"(docker|testcontainers|.*\.engine)(\..*)?", "it needs no Docker"),
        ("shaketable/stack/external.py", r"(docker|testcontainers|.*\.engine)(\..*)?", "it needs no Docker"),
        ("shaketable/checks", r"shaketable\.(stack|target|faults)(\..*)?", "checks see only a history"),
        ("shaketable/report", r"shaketable\.(stack|target|runner)(\..*)?", "the report sees only a run directory"),
        (
            "shaketable/evidence/history",
            r"shaketable\.(stack|target\.target|faults)(\..*)?",
            "a history is read from files",
        ),
    ],
)
def test_imports_go_one_way(folder: str, forbidden: str, why: str) -> None:
    assert not offenders(folder, forbidden), why


def test_one_module_opens_sessions_at_postgresql() -> None:
    """It pins what libpq takes from its environment. The starter is a target: its user's own program."""
    opens = re.compile(r"psycopg\.(Async)?Connection\.connect\(|psycopg\.connect\(|from psycopg import .*connect")
    files = [path for path in PACKAGE.rglob("*.py") if opens.search(path.read_text(encoding="utf-8"))]
    assert {str(path.relative_to(PACKAGE)) for path in files} == {
        "libpq.py",
        "starter/fastapi/processor.py",
        "starter/processor.py",
    }


def test_text_is_utf_8_whatever_the_locale() -> None:
    """A file or a program's output without an encoding is read in the locale's own: a manifest in ASCII, perhaps."""
    folders = ("shaketable", "reference_impl", "alternatives", "locustfiles", "reports", "scenarios")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py") if "node_modules" not in path.parts]
    assert not [f"{path.relative_to(ROOT)}:{line}" for path in files for line in without_encoding(path)]


def without_encoding(path: Path) -> Iterator[int]:
    """The lines that read, write or run something as text and do not say in which encoding."""
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(call, ast.Call) and "encoding" not in (said := {word.arg for word in call.keywords}):
            name = ast.unparse(call.func).rpartition(".")[2]
            mode = next(
                (a.value for a in call.args if isinstance(a, ast.Constant) and a.value in ("r", "w", "x", "a")), ""
            )
            runs = "text" in said and name in ("run", "Popen", "check_output")
            if name in ("read_text", "write_text") or runs or (name in ("open", "fdopen") and mode):
                yield call.lineno


def test_layers_are_kept() -> None:
    lint = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"], capture_output=True, text=True, cwd=ROOT
    )
    assert lint.returncode == 0, lint.stdout


def test_root_and_rooms_stay_few() -> None:
    assert len(list(PACKAGE.glob("*.py"))) <= 14
    assert {str(room): len(files) for room in PACKAGE.rglob("*/") if len(files := list(room.glob("*.py"))) > 40} == {}


@pytest.mark.parametrize("room", ["", "load", "stack", "target", "evidence", "runner", "results", "compare"])
def test_tour_of_a_room_names_every_module(room: str) -> None:
    folder = PACKAGE / room
    modules = {path.stem for path in folder.glob("*.py")} | {path.parent.name for path in folder.glob("*/__init__.py")}
    tour = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
    assert {name for name in modules - {"__init__"} if f"`{name}`" not in tour} == set()
    assert {name for name in re.findall(r"`(\w+)`", tour) if name not in modules} == set()


@pytest.mark.parametrize("folder", ["scenarios", "locustfiles", "reports"])
def test_folders_of_scripts_are_no_packages(folder: str) -> None:
    assert (ROOT / folder).is_dir()
    assert not (ROOT / folder / "__init__.py").exists()


def test_files_stay_small() -> None:
    long = {str(path.relative_to(ROOT)): lines for path in ROOT.glob("[!.]*/**/*.py") if (lines := count(path)) > 300}
    assert not {path for path in long if not path.startswith(("runs/", "dist/"))}


def count(path: Path) -> int:
    return len(path.read_text().splitlines())


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml", "Makefile", ".ci/run"])
def test_no_file_names_an_address(name: str) -> None:
    text = (ROOT / name).read_text()
    assert not re.search(r"https?://|index.url|find.links", text)
