"""Read saved results: a file of `--json`, a run directory, or a folder of run directories."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from shaketable import rundir
from shaketable.checks import verdict
from shaketable.checks.verdict import VerdictDoc
from shaketable.errors import InputError
from shaketable.evidence import again
from shaketable.evidence.history import History
from shaketable.files import foreign
from shaketable.results import result
from shaketable.results.result import Result, Results
from shaketable.rundir import RunDir

#: Largest size of a file of --json, in bytes: some hundred runs.
MOST = 4 * foreign.DOCUMENT


def results(path: Path) -> list[Result]:
    """The results at a path. Raises InputError for a path that holds none."""
    if not path.exists():
        raise InputError(
            f"expected a run directory, a folder of some, or a file of --json: there is no {path}: {_remedy(path)}"
        )
    if not path.is_dir():
        return _of_file(path)
    if os.path.lexists(path / rundir.SCENARIO):
        return [_of_run(rundir.find(path))]
    runs = [each for each in sorted(path.iterdir()) if (each / rundir.SCENARIO).exists() and not each.is_symlink()]
    if not runs:
        raise InputError(
            f"expected a run directory, a folder of some, or a file of --json: {path} holds no run: {_remedy(path)}"
        )
    return [_of_run(rundir.find(each)) for each in runs]


def _remedy(path: Path) -> str:
    """A folder of runs close to the path, if there is one; else the command that makes a run."""
    near = [each for each in (path / "runs", path.parent, Path("runs")) if each != path and _holds_runs(each)]
    makes = again.line("run", "calm", "--runs", str(path))
    return f"name {again.shown(near[0].resolve())} or a folder below it" if near else f"`{makes}` makes one"


def _holds_runs(path: Path) -> bool:
    try:
        return any((each / rundir.SCENARIO).is_file() for each in path.iterdir())
    except OSError:
        return False


def _of_file(path: Path) -> list[Result]:
    try:
        found = msgspec.json.decode(foreign.read(path, MOST, follow=True), type=Results)
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError) as e:
        raise InputError(f"expected {path} to be written by `shaketable run --json FILE`: {e}") from e
    if found.schema != result.SCHEMA:
        raise InputError(f"expected schema {result.SCHEMA} in {path}, got {found.schema}: write it with this version")
    return found.runs


def _of_run(run: RunDir) -> Result:
    """The result from verdict.json; a run without one is judged now."""
    with rundir.judging(run.path):
        return _judged(run)


def _judged(run: RunDir) -> Result:
    judged = run.has(rundir.VERDICT)
    doc = rundir.read_json(run / rundir.VERDICT, VerdictDoc) if judged else verdict.judge_history(History.load(run))
    return result.of(doc, doc.verdict.exit_code, run=again.shown(run.path))
