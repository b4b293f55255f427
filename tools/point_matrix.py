"""The table bug × crash points: plays seeded bugs of delivery at points of a delivery, and prints where each fails.

    python -m tools.point_matrix [--bugs NAME…] [--only TEXT…] [--how HOW] [--lanes 2] [--out runs/points]

Each bug is broken as its defect needs it (HOWS), by SIGKILL else. The table is points.md in the folder, and points.json
has the same. Exit code 1: a bug that passes without a fault failed at no point.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from shaketable import rundir
from shaketable.checks.check import Verdict
from shaketable.crash_points.lanes import TrialLanes
from shaketable.crash_points.point import HOWS as ALL_HOWS
from shaketable.crash_points.point import How, Point
from shaketable.crash_points.trial import PointTrial
from shaketable.errors import TargetError
from tests.seeded_bugs.catalogue import BUGS, target

ROOT = Path(__file__).parents[1]
#: The checks whose bugs are of delivery.
DELIVERY = ("no_loss", "no_duplicates", "nothing_invented", "order_kept")
#: How a bug's defect shows, where not by a process that is killed.
HOWS: dict[str, How] = {
    "acknowledges_at_sigterm": "term",
    "drops_on_sigterm": "term",
    "reorders_on_retry": "cut",
    "swaps_neighbours": "cut",
    "no_fence": "freeze",
}
#: Points of the way of an event: into the queue, out of it, into the store.
POINTS = (
    "ingest redis before XADD",
    "ingest redis after XADD",
    "worker-1 postgres before COPY audit",
    "worker-1 postgres before COMMIT",
    "worker-1 postgres after COMMIT",
    "worker-1 redis before XTRIM",
    "worker-1 redis after XTRIM",
    "worker-1 redis after XDEL",
)


@dataclass
class PointRow:
    """One bug: the points at which its own check failed, at which another did, and the rest.

    `calm`: why it fails without a fault, so that no point would say more.
    """

    bug: str
    how: How
    check: str
    calm: str = ""
    failed: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    unreached: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def note(self, trial: PointTrial) -> None:
        """Put the point of a trial where it belongs."""
        place, where = f"{trial.point.process} {trial.point.place}", self.unknown
        if self.check in trial.failed:
            where = self.failed
        elif trial.failed:
            place, where = f"{place} ({', '.join(trial.failed)})", self.other
        elif trial.reached is False:
            where = self.unreached
        elif trial.verdict is Verdict.PASSED:
            where = self.passed
        where.append(place)


def main(arguments: Sequence[str] | None = None) -> int:
    """Play all, tell, and return the exit code."""
    asked = _parser().parse_args(arguments)
    rows: list[PointRow] = []
    with tempfile.TemporaryDirectory() as folder, TrialLanes(asked.lanes, "kill", 1, Path(), asked.out) as lanes:
        for name in asked.bugs:
            lanes.target, lanes.how = target(name, Path(folder)), asked.how or HOWS.get(name, "kill")
            rows.append(_row(name, lanes, asked.only))
            save(asked.out, "points", rows, text(rows))  # each: an interruption loses none
            print(line(rows[-1]), flush=True)
    return int(any(not row.failed and not row.calm for row in rows))


def _row(name: str, lanes: TrialLanes, only: Sequence[str]) -> PointRow:
    row = PointRow(name, lanes.how, BUGS[name].caught_by)
    try:
        points = [point for point in lanes.survey().points if any(text in _told(point) for text in only)]
    except TargetError as e:
        row.calm = str(e)
        return row
    done = {trial.point: trial for trial in lanes.play(points)}
    unsure = [point for point in points if done[point].verdict is Verdict.UNKNOWN]
    done |= {trial.point: trial for trial in lanes.play(unsure)}
    for point in points:
        row.note(done[point])
    return row


def _told(point: Point) -> str:
    return f"{point.process} {point.service} {point.place}"


def text(rows: Sequence[PointRow]) -> str:
    """The table, in Markdown."""
    return "\n".join(_lines(rows))


def _lines(rows: Sequence[PointRow]) -> Iterator[str]:
    yield "| seeded bug | `--how` | check | fails at | passes at |"
    yield "| --- | --- | --- | --- | --- |"
    yield from map(line, rows)


def line(row: PointRow) -> str:
    """One row; points that were not reached or not judged are counted behind those that passed."""
    told = [*row.passed]
    told += [f"{len(row.unreached)} not reached"] if row.unreached else []
    told += [f"{len(row.unknown)} unknown"] if row.unknown else []
    fails = "every run, without a fault" if row.calm else ", ".join([*row.failed, *row.other]) or "none of these"
    return f"| `{row.bug}` | {row.how} | {row.check} | {fails} | {', '.join(told)} |"


def save(folder: Path, name: str, rows: Sequence[object], table: str) -> None:
    """Write the rows as JSON, and their table."""
    folder.mkdir(parents=True, exist_ok=True)
    rundir.write_json(folder / f"{name}.json", {"schema": rundir.SCHEMA, "bugs": msgspec.to_builtins(rows)})
    (folder / f"{name}.md").write_text(f"{table}\n")


def parser_of(about: str, folder: str) -> argparse.ArgumentParser:
    """The options that both tables of delivery bugs share."""
    parser = argparse.ArgumentParser(description=about.partition("\n")[0])
    known = [name for check in DELIVERY for name, bug in BUGS.items() if bug.caught_by == check]
    parser.add_argument("--bugs", nargs="*", default=known, choices=known, metavar="NAME")
    parser.add_argument("--lanes", type=int, default=2, help="trials beside each other")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / folder)
    return parser


def _parser() -> argparse.ArgumentParser:
    parser = parser_of(__doc__ or "", "points")
    parser.add_argument("--only", nargs="*", default=POINTS, metavar="TEXT", help="points that contain this text")
    parser.add_argument("--how", choices=ALL_HOWS, help="break every bug so")
    return parser


if __name__ == "__main__":
    sys.exit(main())
