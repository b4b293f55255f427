"""The public names work, cost nothing until they are used, and type-check in a user's own file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import shaketable
from shaketable import Load, Scenario, check, checks, faults, run
from shaketable.errors import InputError
from shaketable.faults import FAULTS
from tests.support.histories import asks, run_of, sent, stored

#: A scenario, a fault and a check, as a user writes them. `make lint` checks their types, too.
OWN = Path(__file__).parent / "scenarios" / "faraway.py"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "faraway.py"
    path.write_bytes(OWN.read_bytes())
    return path


def test_public_names_are_all_there() -> None:
    assert all(getattr(shaketable, name) is not None for name in shaketable.__all__)
    assert all(getattr(room, name) is not None for room in (checks, faults) for name in room.__all__)
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        shaketable.nothing_of_the_kind  # noqa: B018


def test_importing_the_package_imports_nothing_heavy() -> None:
    program = "import sys, shaketable; print(*sorted({'pandas', 'numpy', 'psycopg', 'msgspec'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.split() == []


@pytest.mark.slow
@pytest.mark.nightly
def test_file_of_a_user_passes_mypy_strict(own: Path) -> None:
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", str(own)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=own.parent, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_scenario_of_a_user_loads_and_its_kinds_are_known(own: Path) -> None:
    from shaketable.runner import scenario

    found = scenario.load(str(own))
    (entry,) = found.timeline
    assert FAULTS.from_spec(FAULTS.to_spec(entry.fault)) == entry.fault
    assert "few_resends" in checks.CHECKS.kinds()


def test_saved_run_is_checked(tmp_path: Path) -> None:
    saved = run_of([sent("a").acknowledged(1), stored("a"), sent("b").acknowledged(1), asks(checks.NoLoss())], tmp_path)
    verdict = check(saved.path)
    assert verdict.verdict is checks.Verdict.FAILED
    assert verdict.checks["no_loss"].members["lost"] == ["b"]
    assert saved.has("verdict.json")


def test_scenario_without_a_name_and_an_unknown_budget_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="name"):
        run(Scenario("A story.", Load()), runs=tmp_path)
    with pytest.raises(InputError, match="nonsense"):
        run("calm", budgets={"nonsense": 1}, runs=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
@pytest.mark.slow
def test_run_of_a_scenario_returns_its_result(own: Path, tmp_path: Path) -> None:
    load = Load(30, 1, 1, 1, unsent_bound=0.5, lateness_bound_ms=10_000)  # no check reads times
    brief = Scenario("Nothing goes wrong.", load, checks=(checks.NoLoss(),), name="brief")
    result = run(brief, runs=tmp_path / "runs")
    assert (result.verdict, result.exit_code, result.scenario) == ("passed", 0, "brief")
    assert (Path(result.run) / "report.html").exists()
