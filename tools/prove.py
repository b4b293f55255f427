"""Proves the checks: runs every seeded bug for real, then the sound reference, and prints the kill matrix.

    python -m tools.prove [--bugs NAME…] [--clean 28] [--jobs 2] [--out runs/prove] [--before COMMAND]

Exit code 0: every bug was caught by its own check, and no clean run was blamed. 1: a bug was missed five times, or a
clean run failed. 2: a clean run could not be judged, or nothing was run.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path

from shaketable import rundir
from shaketable.checks.check import Verdict
from tests.seeded_bugs.catalogue import BUGS, shake, target
from tools.kill_matrix import MISSED, RIGHT, Clean, Matrix, Row, Shot, page, shot, text

ROOT = Path(__file__).parents[1]
#: How often a bug that was missed is tried.
TRIES = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all, tell, and return the exit code."""
    asked = _parser().parse_args(arguments)
    began = time.monotonic()
    scenarios = sorted({BUGS[name].shown_by for name in asked.bugs})
    clean = list(islice(cycle(scenarios), asked.clean))
    with ThreadPoolExecutor(asked.jobs) as pool:
        rows = list(pool.map(lambda name: _prove(name, asked), asked.bugs))
        cleans = list(pool.map(lambda n: _clean(n + 1, clean[n], asked), range(len(clean))))
    matrix = Matrix(rundir.SCHEMA, rows, cleans, round(time.monotonic() - began, 1))
    asked.out.mkdir(parents=True, exist_ok=True)
    rundir.write_json(asked.out / "prove.json", matrix)
    (asked.out / "prove.html").write_text(page(matrix))
    print(text(matrix))
    return 1 if matrix.missed or matrix.alarms else 2 if matrix.unjudged or not (rows or cleans) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--bugs", nargs="*", default=list(BUGS), choices=list(BUGS), metavar="NAME")
    parser.add_argument("--clean", type=int, default=2 * len({bug.shown_by for bug in BUGS.values()}))
    parser.add_argument("--jobs", type=int, default=2, help="runs beside each other")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "prove")
    parser.add_argument("--before", type=shlex.split, default=[], help="put before each run's command, as nice")
    return parser


def _prove(name: str, asked: argparse.Namespace) -> Row:
    """Run one bug until its check catches it, at most so often."""
    bug, shots = BUGS[name], list[Shot]()
    while len(shots) < TRIES and not any(each.caught == RIGHT for each in shots):
        shots.append(_shoot(name, asked, asked.out / f"{name}-{len(shots) + 1}"))
    row = Row(name, bug.caught_by, bug.shown_by, bug.because, shots)
    print(f"{name}: {row.told}", flush=True)
    return row


def _shoot(name: str, asked: argparse.Namespace, folder: Path) -> Shot:
    bug, manifest = BUGS[name], _fresh(folder)
    try:
        _, doc = shake(bug.shown_by, target(name, manifest), folder, asked.before)
    except AssertionError as e:  # no verdict at all: the run itself failed
        return Shot(MISSED, "none", {}, str(e)[-500:], str(folder))
    found = shot(bug.caught_by, bug.because, doc, str(folder))
    if found.caught == RIGHT:
        shutil.rmtree(folder)
    return found


def _clean(number: int, scenario: str, asked: argparse.Namespace) -> Clean:
    folder = _fresh(asked.out / f"clean-{number}")
    try:
        _, doc = shake(scenario, target("", folder), folder, asked.before)
    except AssertionError as e:
        return Clean(scenario, "none", {"the run": str(e)[-500:]}, str(folder))
    blamed = {
        name: found.why for name, found in doc.checks.items() if found.required and found.verdict is not Verdict.PASSED
    }
    blamed |= {"the run": "; ".join(doc.reasons)} if doc.reasons else {}
    print(f"clean {number}: {scenario}: {doc.verdict.value}", flush=True)
    if doc.verdict is Verdict.PASSED:
        shutil.rmtree(folder)
        return Clean(scenario, doc.verdict.value, {})
    return Clean(scenario, doc.verdict.value, blamed, str(folder))


def _fresh(folder: Path) -> Path:
    """An empty folder in place of what an earlier proof left there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


if __name__ == "__main__":
    sys.exit(main())
