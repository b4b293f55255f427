"""A badge: the verdict as a small SVG file, which asks no other server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from shaketable import plural, rundir
from shaketable.files import atomic
from shaketable.report.terminal import trials
from shaketable.results import confidence
from shaketable.results.result import Result, collect

LABEL = "shaketable"
#: Colours by verdict, dark enough for white text; of any other verdict.
COLOURS, OTHER = {"passed": "#1f7a55", "failed": "#c2332f"}, "#96650a"
#: The width of a character and the margins, in CSS pixels. The texts are stretched to it, whatever the font.
CHARACTER, MARGIN = 6.5, 6


def write(path: Path, runs: Sequence[Result]) -> None:
    """Write the file. Raises HarnessError."""
    with rundir.whole(path, atomic.ORDINARY) as out:
        out.write(svg(runs).encode())


def svg(runs: Sequence[Result]) -> str:
    """The worst verdict and the number of runs; the title has the confidence bound."""
    told, colour = message(runs), COLOURS.get(collect(runs).verdict, OTHER)
    left, right = (len(text) * CHARACTER + 2 * MARGIN for text in (LABEL, told))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right:g}" height="20" role="img">'
        f"<title>{LABEL}: {told}; {bound(runs)}</title>"
        f'<rect width="{left + right:g}" height="20" rx="4" fill="#1d232b"/>'
        f'<path d="M{left:g} 0h{right - 4:g}a4 4 0 0 1 4 4v12a4 4 0 0 1 -4 4h-{right - 4:g}z" fill="{colour}"/>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f"{_text(LABEL, MARGIN)}{_text(told, left + MARGIN)}</g></svg>\n"
    )


def message(runs: Sequence[Result]) -> str:
    """`passed in 24 runs`, or `1 of 24 failed`; without the runs that were skipped."""
    played, worst = [run for run in runs if run.verdict != "skipped"], collect(runs).verdict
    alike = sum(run.verdict == worst for run in played)
    if alike < len(played):
        return f"{alike} of {len(played)} {worst}"
    return f"{worst} in {plural.counted(len(played), 'runs')}"


def bound(runs: Sequence[Result]) -> str:
    """How flaky it may be: what the fewest trials of a scenario prove."""
    played = [run for run in runs if run.verdict != "skipped"]
    several = trials.repeated(played)
    if len({run.scenario for run in played}) > len(several) or not several:
        return "a run is one sample"
    fewest = min(several.values(), key=lambda runs: (trials.passed(runs) == len(runs), trials.passed(runs)))
    return f"{trials.proved(fewest)} ({confidence.ASSUMPTION})"


def _text(text: str, x: float) -> str:
    width = len(text) * CHARACTER
    return f'<text x="{x:g}" y="14" textLength="{width:g}" lengthAdjust="spacingAndGlyphs">{text}</text>'
