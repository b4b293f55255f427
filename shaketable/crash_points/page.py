"""crash_points.html: every point and the holes, in one offline file."""

from __future__ import annotations

from pathlib import Path

from shaketable import plural, rundir
from shaketable.crash_points import table
from shaketable.crash_points.point import DONE
from shaketable.crash_points.verdict import Verdicts
from shaketable.report.page import document
from shaketable.report.page.header import Header, Tile

PAGE = "crash_points.html"
TEMPLATES = Path(__file__).parent / "templates"
#: The most holes that the first sentence names.
SAID = 3


def write(folder: Path, found: Verdicts, seed: int) -> Path:
    """Write the page and return its path. Raises HarnessError."""
    folder.mkdir(parents=True, exist_ok=True)
    page = document.render(
        "crash_points.html",
        folder=TEMPLATES,
        header=_header(found, seed),
        holes=found.holes(),
        failed=[(trial.point.told(trial.how), trial.why, str(trial.run or "")) for trial in found.failed],
        points=table.of(found),
        notes=list(table.not_judged(found)),
    )
    with rundir.whole(folder / PAGE) as out:
        out.write(page.encode())
    return folder / PAGE


def _header(found: Verdicts, seed: int) -> Header:
    name, points = f"crash points of {found.target}", len(found.trials)
    return Header(
        found.verdict,
        name,
        f"{_found(found)}.",
        crumbs=[name, f"seed {seed}"],
        story=f"Each process is {DONE[found.how]} at each message that it exchanges with a service: before the message "
        "arrives, or after the service has replied. One short run a point checks every event; times are not judged.",
        tiles=[
            Tile("points", f"{points:,}"),
            Tile("reached", f"{points - len(found.unreached):,}"),
            Tile.counted("failed", len(found.failed)),
            Tile.counted("unknown", len(found.unknown), "doubt"),
        ],
    )


def _found(found: Verdicts) -> str:
    """The holes; without any, how many points were judged."""
    if holes := found.holes():
        more = [f"{len(holes) - SAID} more holes"] if len(holes) > SAID else []
        return "; ".join([*holes[:SAID], *more])
    passed = plural.counted(len(found.passed), "points")
    if found.unknown or not found.passed:
        return f"No hole at {passed}, and {plural.counted(len(found.unknown), 'points')} could not be judged"
    return f"Every event was delivered, with a process {DONE[found.how]} at any of {passed}"
