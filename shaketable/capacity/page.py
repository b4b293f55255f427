"""capacity.html: the curve and its table, in one offline file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from shaketable import rundir
from shaketable.capacity import table
from shaketable.capacity.curve import Curve
from shaketable.capacity.step import Step
from shaketable.report.page import document
from shaketable.report.page.header import Header, Tile
from shaketable.text import number

PAGE = "capacity.html"
TEMPLATES = Path(__file__).parent / "templates"
#: The picture's size, and the margins of its axes, in CSS pixels.
WIDTH, HEIGHT, LEFT, BOTTOM = 720, 320, 64, 36


def write(folder: Path, curve: Curve) -> Path:
    """Write the page and return its path. Raises HarnessError."""
    page = document.render(
        "capacity.html",
        folder=TEMPLATES,
        header=_header(curve),
        steps=table.of(curve),
        picture=_picture(curve),
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        bottom=HEIGHT - BOTTOM,
    )
    with rundir.whole(folder / PAGE) as out:
        out.write(page.encode())
    return folder / PAGE


def _header(curve: Curve) -> Header:
    found, *more = curve.sentences()
    above = curve.next_above.rate if curve.next_above else None
    rates = {"sustained": curve.sustained, "not sustained from": above, "load generator alone": curve.reached}
    return Header(
        curve.verdict,
        f"capacity of {curve.target}",
        found,
        crumbs=[f"capacity of {curve.target}", f"{curve.seconds:g} s at each rate"],
        story=" ".join(more),
        tiles=[Tile(name, "–" if rate is None else f"{number(rate)}/s") for name, rate in rates.items()],
    )


def _picture(curve: Curve) -> dict[str, object]:
    """The points of the lines: stored over planned rate, the load generator's, and the diagonal of the ideal."""
    most = max(step.rate for step in (*curve.steps, *curve.generator))

    def place(rate: float, reached: float) -> tuple[float, float]:
        x = LEFT + (WIDTH - LEFT - 12) * rate / most
        return round(x, 1), round((HEIGHT - BOTTOM) - (HEIGHT - BOTTOM - 12) * min(reached / most, 1.0), 1)

    def line(points: Iterable[tuple[float, float]]) -> str:
        return " ".join(f"{x},{y}" for x, y in points)

    stored = [(*place(rate, reached), step) for step, rate, reached in _reached(curve.steps)]
    alone = [place(rate, reached) for _, rate, reached in _reached(curve.generator)]
    return {
        "ideal": line([place(0, 0), place(most, most)]),
        "stored": line((x, y) for x, y, _ in stored),
        "points": [(x, y, f"{step.rate:,g}/s", _kind(step)) for x, y, step in stored],
        "alone": line(alone),
        "ticks": [(place(most * part, 0)[0], place(0, most * part)[1], f"{most * part:,.0f}") for part in (0.5, 1)],
    }


def _reached(steps: Iterable[Step]) -> Iterator[tuple[Step, float, float]]:
    """The steps with a rate that was reached, by planned rate: of stored events, else of acknowledged ones."""
    for step in sorted(steps, key=lambda step: step.rate):
        reached = step.acknowledged_per_s if step.stored_per_s is None else step.stored_per_s
        if reached is not None:
            yield step, step.rate, reached


def _kind(step: Step) -> str:
    return {True: "passed", False: "failed", None: "unknown"}[step.sustained]
