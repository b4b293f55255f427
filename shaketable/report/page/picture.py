"""A run as a still image (SVG) for a README or a ticket: the verdict, and faults and tracks on one time axis."""

from __future__ import annotations

from html import escape
from itertools import pairwise

import numpy as np

from shaketable.report.page import tracks as binned
from shaketable.report.page.bins import Floats
from shaketable.report.page.recording import Recording
from shaketable.report.page.sentence import checks, counts, sentence, verdict
from shaketable.report.page.spans import DrawnSpan
from shaketable.report.page.theme import AMBER, BLUE, RED, STATES, TEAL, UNKNOWN_STATE
from shaketable.report.page.tracks import Tracks, lowest, peak
from shaketable.rundir import RunDir
from shaketable.text import number, plain

#: Pixels: the width, the side margins, the top of the faults' names, a track, the gap below it, a row of text.
WIDTH, LEFT, RIGHT, TOP, TRACK, GAP, ROW = 860, 96, 12, 60, 54, 18, 20
#: Legible on white and on black.
GREY = "#848d97"
VERDICTS = {"passed": "#2da44e", "failed": "#e5534b"}


def svg(run: RunDir) -> str:
    """The image as SVG text. A track without data stays empty."""
    seen = Recording.load(run)
    tracks = binned.of(seen)
    top = TOP + ROW * max((fault.row + 1 for fault in tracks.faults), default=0)
    drawn, bottom = _all(tracks, top)
    parts = [
        _title(seen),
        *(_band(fault, tracks.end, bottom) for fault in tracks.faults),
        *drawn,
        *_axis(tracks.end, bottom),
    ]
    look = f'viewBox="0 0 {WIDTH} {bottom + 24}" font-family="system-ui, sans-serif" font-size="12" fill="{GREY}"'
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" {look}>', *parts, "</svg>"]) + "\n"


def _all(tracks: Tracks, top: int) -> tuple[list[str], int]:
    """The tracks below each other, and the bottom of the last one."""
    health = lowest(tracks.health)
    told = [
        ("intake", tracks.acknowledged, BLUE, _most(tracks.acknowledged, "/s"), peak(tracks.acknowledged)),
        ("backlog", tracks.backlog, AMBER, _most(tracks.backlog), peak(tracks.backlog)),
        ("stored", tracks.stored, TEAL, _most(tracks.stored, "/s"), peak(tracks.stored)),
        ("health", tracks.health, TEAL, "" if health is None else f"min {number(health)}", 100.0),
    ]
    tops = [top + 8 + i * (TRACK + GAP) for i in range(len(told) + 1)]
    drawn = [_steps(tracks, *track, at) for track, at in zip(told, tops, strict=False)]
    drawn.append(_dashes(tops[3] + TRACK * 0.3, tracks.end))
    rows = [_states(name, states, tracks.end, tops[-1] + i * ROW) for i, (name, states) in enumerate(_breakers(tracks))]
    return drawn + rows, tops[-1] + len(rows) * ROW


def _breakers(tracks: Tracks) -> list[tuple[str, list[DrawnSpan]]]:
    return list((tracks.breakers or {}).items())


def _most(values: Floats | None, unit: str = "") -> str:
    most = peak(values)
    return "" if most is None else f"max {number(round(most))}{unit}"


def _title(seen: Recording) -> str:
    failed = [
        name for name, found in checks(seen.verdict).items() if counts(found) and found.get("verdict") == "failed"
    ]
    said = ": ".join(filter(None, [verdict(seen.verdict), ", ".join(failed)]))
    name = f"{seen.scenario.name} on {seen.target.get('name', '?')}"
    colour = VERDICTS.get(verdict(seen.verdict), "#bf8700")
    return (
        f'<text x="12" y="26" font-size="20" font-weight="bold" fill="{colour}">{_text(said)}</text>'
        f'<text x="{WIDTH - RIGHT}" y="26" font-size="14" text-anchor="end">{_text(name)}</text>'
        f'<text x="12" y="46" font-size="13">{_text(sentence(seen.verdict), 120)}</text>'
    )


def _band(fault: DrawnSpan, end: float, bottom: int) -> str:
    left, right, top = _x(fault.begin, end), _x(fault.end, end), TOP + fault.row * ROW
    return (
        f'<rect x="{left:.1f}" y="{top}" width="{max(1.0, right - left):.1f}" height="{bottom - top}" '
        f'fill="{fault.colour}" opacity="0.15"/><text x="{left + 5:.1f}" y="{top + 15}">{_text(fault.label)}</text>'
    )


def _axis(end: float, bottom: int) -> list[str]:
    step = next((s for s in (1, 2, 5, 10, 20, 60, 300) if end / s <= 10), 600)
    return [
        f'<text x="{_x(t, end):.1f}" y="{bottom + 18}" text-anchor="middle">{t} s</text>'
        for t in range(0, int(end) + 1, step)
    ]


def _steps(
    tracks: Tracks, name: str, values: Floats | None, colour: str, extreme: str, most: float | None, top: int
) -> str:
    words = f'<text x="12" y="{top + 14}" font-weight="bold">{name}</text><text x="12" y="{top + 30}">{extreme}</text>'
    if values is None or not most:
        return words
    heights = [TRACK * (1 - min(1.0, float(value) / most)) for value in np.nan_to_num(values)]
    xs = [_x(min(edge, tracks.end), tracks.end) for edge in tracks.bins.edges]
    line = "".join(f"V{top + y:.1f}H{right:.1f}" for y, (_, right) in zip(heights, pairwise(xs), strict=True))
    path = f"M{xs[0]:.1f},{top + TRACK}{line}V{top + TRACK}"
    return f'{words}<path d="{path}" fill="{colour}" fill-opacity="0.2" stroke="{colour}" stroke-width="1.4"/>'


def _dashes(y: float, end: float) -> str:
    """The score at and below which a target reports itself as unhealthy."""
    return f'<path d="M{LEFT},{y:.1f}H{_x(end, end):.1f}" stroke="{RED}" stroke-dasharray="4 4" fill="none"/>'


def _states(name: str, states: list[DrawnSpan], end: float, top: int) -> str:
    looks = [(state, *STATES.get(state.label, UNKNOWN_STATE)) for state in states]
    bars = [
        f'<path d="M{_x(state.begin, end):.1f},{top + 15}v{-12 * share:.1f}H{_x(state.end, end):.1f}V{top + 15}z" '
        f'fill="{colour}" stroke="{colour}"/>'
        for state, colour, share in looks
    ]
    return f'<text x="12" y="{top + 14}">{_text(name, 12)}</text>{"".join(bars)}'


def _text(text: str, most: int = 60) -> str:
    return escape(plain(text, most))


def _x(seconds: float, end: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * min(max(seconds, 0.0), end) / end
