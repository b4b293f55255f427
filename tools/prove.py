"""Proves the checks: runs every seeded bug for real, then the sound reference, and prints the kill matrix.

    python -m tools.prove [--bugs NAME…] [--shipped] [--clean N] [--of bugs|quick|all] [--file runs/clean.jsonl]

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
from pathlib import Path

from shaketable import rundir
from tests.seeded_bugs.catalogue import BUGS, by_the_clock, shake, shipped, target
from tools import clean_runs
from tools.clean_runs import Clean, fresh
from tools.kill_matrix import MISSED, RIGHT, Matrix, Row, Shot, page, shot, text

ROOT = Path(__file__).parents[1]
#: How often a bug that was missed is tried.
TRIES = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all, tell, and return the exit code."""
    asked = _parser().parse_args(arguments)
    asked.bugs = [name for name in asked.bugs if _scenario(name, asked)]
    began = time.monotonic()
    asked.out.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(asked.jobs) as pool:
        rows = list(
            pool.map(lambda name: _prove(name, asked), [each for each in asked.bugs if not _by_the_clock(each)])
        )
        # one after the other: beside another run, times that are too long are unknown
        rows += [_prove(name, asked) for name in filter(_by_the_clock, asked.bugs)]
        cleans = _cleans(asked, pool)
    matrix = Matrix(rundir.SCHEMA, rows, cleans, round(time.monotonic() - began, 1))
    rundir.write_json(asked.out / "prove.json", matrix)
    (asked.out / "prove.html").write_text(page(matrix))
    print(text(matrix))
    return matrix.verdict.exit_code


def _by_the_clock(name: str) -> bool:
    return by_the_clock(BUGS[name])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--bugs", nargs="*", default=list(BUGS), choices=list(BUGS), metavar="NAME")
    parser.add_argument("--shipped", action="store_true", help="play each bug in the scenario of the package instead")
    parser.add_argument("--clean", type=int, default=2, metavar="N", help="clean runs of each scenario, by seed")
    parser.add_argument("--of", choices=("bugs", "quick", "all"), default="bugs", help="the scenarios of --clean")
    parser.add_argument("--file", type=Path, help="add each clean run to this file, and leave out those that it holds")
    parser.add_argument("--jobs", type=int, default=2, help="runs beside each other")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "prove")
    parser.add_argument("--before", type=shlex.split, default=[], help="put before each run's command, as nice")
    return parser


def _cleans(asked: argparse.Namespace, pool: ThreadPoolExecutor) -> list[Clean]:
    """The clean runs; without a file of the caller's own, those of this call alone."""
    file = asked.file or asked.out / "clean.jsonl"
    if not asked.file:
        file.unlink(missing_ok=True)
    names = clean_runs.scenarios(asked.of, asked.bugs)
    return clean_runs.play(names, asked.clean, pool, asked.out, file, asked.before)


def _scenario(name: str, asked: argparse.Namespace) -> str:
    """The scenario that must show the bug; "" if the package has none."""
    return shipped(BUGS[name]) if asked.shipped else BUGS[name].shown_by


def _prove(name: str, asked: argparse.Namespace) -> Row:
    """Run one bug until its check catches it, at most so often."""
    bug, shots = BUGS[name], list[Shot]()
    while len(shots) < TRIES and not any(each.caught == RIGHT for each in shots):
        shots.append(_shoot(name, asked, asked.out / f"{name}-{len(shots) + 1}"))
    row = Row(name, bug.caught_by, _scenario(name, asked), bug.because, shots)
    print(f"{name}: {row.told}", flush=True)
    return row


def _shoot(name: str, asked: argparse.Namespace, folder: Path) -> Shot:
    bug, manifest = BUGS[name], fresh(folder)
    try:
        _, doc = shake(_scenario(name, asked), target(name, manifest), folder, asked.before)
    except AssertionError as e:  # no verdict at all: the run itself failed
        return Shot(MISSED, "none", {}, str(e)[-500:], str(folder))
    found = shot(bug.caught_by, bug.because, doc, str(folder))
    if found.caught == RIGHT:
        shutil.rmtree(folder)
    return found


if __name__ == "__main__":
    sys.exit(main())
