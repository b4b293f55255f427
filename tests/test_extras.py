"""Without its extras shaketable judges runs, and each command that needs one names it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cases import nightly
from tests.support.saved import unpacked

ROOT = Path(__file__).parents[1]
#: The modules of each extra, by the folders that may import them.
EXTRAS = {
    "reference_impl shaketable/starter": [
        *("anyio", "hiredis", "httptools", "prometheus_client", "pybreaker"),
        *("rfc8785", "starlette", "tenacity", "uvicorn"),
    ],
    "shaketable/cells": ["cryptography", "distributed", "fsspec"],
    "shaketable/report/page": ["bokeh", "jinja2", "markupsafe"],
}
_WITHOUT = f"import sys; sys.modules.update(dict.fromkeys({[name for names in EXTRAS.values() for name in names]}))"


def without_extras(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of shaketable as if no extra were installed."""
    return python(
        f"from shaketable.cli import main; sys.argv = ['shaketable', *{list(command)}]; sys.exit(main())", cwd
    )


def python(code: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run statements as if no extra were installed."""
    code = f"{_WITHOUT}; {code}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=cwd, check=False)


def imported(path: Path) -> set[str]:
    """The top-level modules that a file imports, wherever it does."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
        elif isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
    return found


@pytest.mark.parametrize("folders", EXTRAS)
def test_only_its_folders_import_an_extra(folders: str) -> None:
    allowed = tuple(str(ROOT / folder) for folder in folders.split())
    others = [path for path in (ROOT / "shaketable").rglob("*.py") if not str(path).startswith(allowed)]
    assert [path for path in others if imported(path) & set(EXTRAS[folders])] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "extra"),
    [
        (["run", "calm"], "reference"),
        nightly((["doctor", "--target", "reference"], "reference")),
        nightly((["compare", "reference"], "report")),
        nightly((["run", "calm", "--jobs", "2"], "cluster")),
        nightly((["report"], "report")),
        nightly((["explore"], "report")),
    ],
)
def test_command_names_the_extra_that_it_needs(command: list[str], extra: str, tmp_path: Path) -> None:
    unpacked("passed", tmp_path)
    done = without_extras(*command, cwd=tmp_path)
    assert (done.returncode, f"shaketable[{extra}]" in done.stderr) == (254, True), done.stderr


@pytest.mark.slow
def test_saved_run_is_judged_without_extras(tmp_path: Path) -> None:
    done = without_extras("check", str(unpacked("passed", tmp_path).path), cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_run_is_judged_without_its_page(tmp_path: Path) -> None:
    run = unpacked("passed", tmp_path).path
    (run / "report.html").unlink(missing_ok=True)
    judge = "from shaketable.report import judging; judging.judge(RunDir(Path.cwd()), page=True)"
    done = python(f"from pathlib import Path; from shaketable.rundir import RunDir; {judge}", run)
    assert (done.returncode, (run / "verdict.json").exists(), (run / "report.html").exists()) == (0, True, False)
    assert "shaketable[report]" in done.stdout
