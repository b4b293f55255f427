"""`shaketable compare` for real: alike for all, kept over interruptions, whatever becomes of one."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from shaketable import rundir
from shaketable.compare import run_index
from shaketable.compare.cell import Compared
from shaketable.compare.comparison import Comparison
from shaketable.compare.player import CompareOptions, compare
from shaketable.compare.targets import targets as chosen
from shaketable.errors import InputError
from shaketable.runner import phases
from tests.cli.test_cli import REFERENCE, ROOT, shaketable
from tests.runner.test_phases import end, output_until
from tests.seeded_bugs.catalogue import target
from tests.support.comparisons import kept, losing, played

SCENARIO = """
from shaketable.checks import NoDuplicates, NoLoss
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="Nothing goes wrong for three seconds.", load=Load(rate=60, baseline_s=1, shake_s=3, recover_s=1),
    checks=(NoLoss(), NoDuplicates()), settings={"lease_s": 1},
)
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "brief.py"
    path.write_text(SCENARIO)
    return path


def manifest(folder: Path, **replaced: str) -> Path:
    """The reference's, with some of its text replaced."""
    told = REFERENCE.read_text().replace('cwd = ".."', f'cwd = "{ROOT}"')
    for old, new in replaced.items():
        told = told.replace(old, new)
    path = folder / "other.toml"
    path.write_text(told)
    return path


def read(folder: Path) -> Compared:
    return run_index.read([folder])


@pytest.mark.nightly
def test_reference_and_a_seeded_bug_are_sent_the_same_and_an_interrupted_comparison_goes_on(
    scenario: Path, tmp_path: Path
) -> None:
    folder, bug = tmp_path / "compare", target("not_idempotent", tmp_path)
    command = [
        sys.executable,
        "-m",
        "shaketable.cli",
        "compare",
        "reference",
        str(bug),
        "--scenarios",
        str(scenario),
        "--runs",
        str(folder),
    ]
    harness = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)
    output_until(harness, "brief on not_idempotent")
    os.kill(harness.pid, signal.SIGINT)
    said = end(harness)
    assert harness.returncode == 255
    assert "reference       passed" in said
    assert "not_idempotent  not played" in said
    before = Comparison(folder).cell("reference", "brief", 1)

    done = shaketable("compare", "reference", bug, "--scenarios", scenario, "--runs", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "reference × brief, seed 1: passed, kept" in done.stdout
    assert Comparison(folder).cell("reference", "brief", 1) == before
    reference, broken = read(folder).blocks[0].lines
    assert (reference.figure("doubled").high, broken.verdicts) == (0, {"failed": 1})
    assert (broken.figure("doubled").high or 0) > 0
    assert (reference.figure("memory").low or 0) > 10
    assert read(folder).caveats == []
    assert (folder / "compare.html").exists()
    runs = [folder / name / "brief" / "seed-1" for name in ("reference", "not_idempotent")]
    for file in (rundir.CORPUS, rundir.SCHEDULE, rundir.SCENARIO):
        assert len({(run / "latest" / file).read_bytes() for run in runs}) == 1, file


@pytest.mark.slow
def test_target_whose_environment_cannot_be_made_is_an_error_in_each_of_its_cells(
    scenario: Path, tmp_path: Path
) -> None:
    other = manifest(tmp_path, **{"[ingest]": 'requirements = "gone.txt"\n[ingest]'})
    folder = tmp_path / "compare"
    done = shaketable("compare", other, "--scenarios", scenario, "--trials", "2", "--runs", folder)
    assert done.returncode == 255
    assert "gone.txt" in done.stderr
    assert [trial.outcome for trial in read(folder).trials] == ["error", "error"]
    assert "gone.txt" in (folder / "compare.html").read_text()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"targets": ["no_such"]}, "no_such"),
        ({"targets": ["reference", "reference"]}, "both called 'reference'"),
        ({"trials": 0}, "at least 1 trial, got 0"),
        ({"scenarios": ["calm", "calm"]}, "each once"),
        ({"scenarios": ["calm", "no_such"]}, "no_such"),
    ],
)
def test_what_cannot_be_compared_is_said_before_anything_is_played(
    asked: dict[str, Any], told: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=told):
        compare(CompareOptions(**{"targets": ["reference"], **asked}, folder=tmp_path / "compare"))
    assert not (tmp_path / "compare").exists()


def test_comparison_ends_when_nobody_reads_its_output_and_takes_no_cell_for_an_error(
    scenario: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    monkeypatch.setattr(phases, "run", broken)
    asked = CompareOptions(targets=["reference"], scenarios=[str(scenario)], trials=2, folder=tmp_path / "compare")
    with pytest.raises(BrokenPipeError):
        compare(asked)
    assert {trial.outcome for trial in read(tmp_path / "compare").trials} == {"not played"}


def test_without_targets_all_of_alternatives_is_compared_with_the_reference() -> None:
    names = [target.name for target in chosen(())]
    assert names[0] == "reference"
    assert names[1:] == sorted(path.stem for path in (ROOT / "alternatives").glob("*.toml"))


def test_code_of_a_python_adapter_and_what_it_shares_is_part_of_what_a_cell_was_played_on(tmp_path: Path) -> None:
    for file in ("rq/requirements.txt", "rq/hardened.py", "rq/deep/er.py", "common/store.py", "celery/hardened.py"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text("1")
    other = manifest(tmp_path, **{"[ingest]": 'requirements = "rq/requirements.txt"\n[ingest]'})
    [target] = chosen([str(other)])
    seen = [target.code]
    for file in ("rq/hardened.py", "rq/deep/er.py", "common/store.py", "celery/hardened.py"):
        (tmp_path / file).write_text("2")
        seen.append(target.code)
    assert len(set(seen)) == 4
    assert seen[-1] == seen[-2]


def test_code_beside_a_manifest_without_requirements_is_part_of_it_too(tmp_path: Path) -> None:
    [target] = chosen([str(manifest(tmp_path))])
    seen = {target.code}
    for file in ("processor.py", "node_modules/left.js", "runs/found.py", "lib/store.go"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text("1")
        seen.add(target.code)
    assert len(seen) == 3
    assert all(code.endswith(version("shaketable")) for code in seen)


@pytest.mark.slow
def test_script_tells_of_a_comparison_in_the_form_that_is_asked_for(tmp_path: Path) -> None:
    held = kept(tmp_path / "compare", ["a"])
    played(held, "a", *losing(2))
    for form, told in (("md", "| a | failed | 2 |"), ("csv", "calm,a,1")):
        command = [sys.executable, str(ROOT / "reports" / "compare.py"), str(held.path), "--format", form]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
        assert (done.returncode, told in done.stdout) == (0, True), done.stdout + done.stderr
