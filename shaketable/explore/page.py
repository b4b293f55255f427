"""explore.html: the findings and the coverage of an exploration, in one offline file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from shaketable import rundir
from shaketable.explore.coverage import Coverage
from shaketable.explore.found import Found
from shaketable.explore.progress import ExplorationProgress
from shaketable.report.page import document

#: The page's name in the folder of what was found.
PAGE = "explore.html"
TEMPLATES = Path(__file__).parent / "templates"
#: The most reasons for unknown trials that are shown.
MOST_DOUBTS = 20


def write(
    folder: Path,
    target: str,
    seed: int,
    found: Sequence[Found],
    progress: ExplorationProgress,
    covered: Coverage,
    kinds: set[str],
) -> Path:
    """Write the page and return its path. Raises HarnessError."""
    folder.mkdir(parents=True, exist_ok=True)
    page = document.render(
        "explore.html",
        folder=TEMPLATES,
        target=target,
        seed=seed,
        sentence=progress.sentence(),
        findings=[_line(one) for one in found],
        heads=["fault", *(f"{cell.breaker}, {cell.backlog}" for cell in covered.columns())],
        lines=[[kind, *(count or "–" for count in counts)] for kind, counts in covered.table(sorted(kinds))],
        doubts=Counter(progress.totals.doubts).most_common(MOST_DOUBTS),
    )
    with rundir.whole(folder / PAGE) as out:
        out.write(page.encode())
    return folder / PAGE


def _line(one: Found) -> list[object]:
    shrunk = (one.find_trials, f"{one.find_s:.0f}", one.shrink_trials, f"{one.shrink_s:.0f}")
    often = f"{one.failed} of {one.of}" if one.of else "not confirmed"
    return [one.sentence.rpartition(":")[0], often, *shrunk, one.file.name if one.file else "not written"]
