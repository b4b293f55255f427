"""A run as one still picture (SVG) for a README or a ticket: the verdict, the faults, and three lanes on one axis."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np

from shaketable.report.bins import Bins, Floats
from shaketable.report.recording import Recording
from shaketable.rundir import RunDir

#: Pixels: the whole, the left margin, a lane and the gap below it.
WIDTH, LEFT, LANE, GAP = 860, 90, 70, 22
TOP = 74
#: Legible on white and on black.
GREY, LINE = "#848d97", "#2f81f7"
VERDICTS = {"passed": "#2da44e", "failed": "#e5534b"}


def svg(run: RunDir) -> str:
    """The picture as text. A lane that nobody recorded stays empty."""
    seen = Recording.load(run)
    lanes = _lanes(seen)
    end = max((times[-1] for _, times, _ in lanes if len(times)), default=1.0)
    height = TOP + len(lanes) * (LANE + GAP) + 24
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">']
    parts += [_title(seen), *_bands(seen, end, height), *_axis(end, height)]
    for number, (name, times, values) in enumerate(lanes):
        parts.append(_lane(name, times, values, end, TOP + number * (LANE + GAP)))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _lanes(seen: Recording) -> list[tuple[str, Floats, Floats]]:
    """What is drawn, by name: the times (s) of its steps, and their values."""
    if seen.probes is None or seen.probes.empty:
        return [(name, np.array([]), np.array([])) for name in ("backlog", "stored/s", "health")]
    times = np.asarray(seen.seconds(seen.probes.time), dtype=float)
    bins = Bins.over(float(times[-1]))
    return [
        ("backlog", bins.left, bins.reduce(times, seen.probes.queue, "max")),
        ("stored/s", bins.left, bins.slope(times, seen.probes.stored)),
        ("health", bins.left, bins.reduce(times, seen.probes.health, "min")),
    ]


def _title(seen: Recording) -> str:
    verdict = str(seen.verdict.get("verdict", "not judged"))
    failed = [
        n for n, c in seen.verdict.get("checks", {}).items() if c.get("verdict") == "failed" and c.get("required")
    ]
    said = f"{verdict}: {', '.join(failed)}" if failed else verdict
    name = f"{seen.scenario.name} on {seen.target.get('name', '?')}"
    return (
        f'<text x="{LEFT}" y="26" font-size="20" font-weight="bold" fill="{VERDICTS.get(verdict, "#bf8700")}">'
        f'{escape(said)}</text><text x="{WIDTH - 10}" y="26" font-size="14" fill="{GREY}" text-anchor="end">'
        f"{escape(name)}</text>"
    )


def _bands(seen: Recording, end: float, height: int) -> list[str]:
    return [_band(fault, seen.seconds([fault.began, fault.healed]), end, height) for fault in seen.faults]


def _band(fault: Any, span: Floats, end: float, height: int) -> str:
    began, healed = float(span[0]), float(span[1])
    left, right = _x(max(0.0, began), end), _x(min(healed, end), end)
    return (
        f'<rect x="{left:.1f}" y="40" width="{max(1, right - left):.1f}" height="{height - 64}" fill="#e5534b" '
        f'opacity="0.13"/><text x="{left + 4:.1f}" y="56" font-size="12" fill="{GREY}">{escape(fault.label)}</text>'
    )


def _axis(end: float, height: int) -> list[str]:
    step = next((s for s in (1, 2, 5, 10, 20, 60, 300) if end / s <= 10), 600)
    style = f'y="{height - 8}" font-size="12" fill="{GREY}" text-anchor="middle"'
    return [f'<text x="{_x(t, end):.1f}" {style}>{t} s</text>' for t in range(0, int(end) + 1, step)]


def _lane(name: str, times: Floats, values: Floats, end: float, top: int) -> str:
    most = float(np.nanmax(values)) if len(values) and not np.isnan(values).all() else 0.0
    shown = [(t, v) for t, v in zip(times, values, strict=True) if not np.isnan(v)]
    points = " ".join(f"{_x(t, end):.1f},{top + LANE * (1 - v / (most or 1)):.1f}" for t, v in shown)
    return (
        f'<text x="{LEFT - 10}" y="{top + 14}" font-size="13" fill="{GREY}" text-anchor="end">{name}</text>'
        f'<text x="{LEFT - 10}" y="{top + 30}" font-size="12" fill="{GREY}" text-anchor="end">max {most:,.0f}</text>'
        f'<polyline points="{points}" fill="none" stroke="{LINE}" stroke-width="1.6"/>'
    )


def _x(seconds: float, end: float) -> float:
    return LEFT + (WIDTH - LEFT - 10) * seconds / end
