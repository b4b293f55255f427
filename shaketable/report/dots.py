"""The events that went wrong, each a dot on the time axis that leads to its life."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shaketable.life import CHECKS, SETS
from shaketable.report.recording import typed
from shaketable.report.sentence import checks
from shaketable.report.theme import AMBER, BLUE, GREY, PURPLE, RED, TEAL

#: What each fate is painted as; what is not named here is painted grey.
COLOURS = {"lost": RED, "not delivered": AMBER, "doubled": PURPLE, "misordered": BLUE, "altered": TEAL}
#: Dots closer than this share of the run stand beside each other, up to so many deep.
CLOSE, DEEP = 1 / 150, 3


@dataclass(frozen=True)
class Dot:
    """One event; `life` is the number of its life on the page, from 1; `depth` is how far it gave way to others."""

    at: float
    life: int
    event_id: str
    depth: int


@dataclass(frozen=True)
class Row:
    """The events of one fate, in order; `total` counts those too that have no dot."""

    fate: str
    colour: str
    total: int
    dots: list[Dot]


def rows(doc: Mapping[str, Any], end: float) -> list[Row]:
    """A row for each fate that befell somebody, in the order in which the lives are told."""
    found: dict[str, list[Dot]] = {}
    for number, life in enumerate(typed(doc.get("lives"), list[dict[str, Any]]) or [], 1):
        at = life.get("at")
        if isinstance(at, int | float) and at >= 0:
            dot = Dot(min(float(at), end), number, str(life.get("event_id") or ""), 0)
            found.setdefault(str(life.get("fate") or ""), []).append(dot)
    totals = _totals(doc)
    return [Row(fate, COLOURS.get(fate, GREY), max(totals.get(fate, 0), len(dots)), _beside(dots, end * CLOSE))
            for fate, dots in found.items()]  # fmt: skip


def _totals(doc: Mapping[str, Any]) -> dict[str, int]:
    """How many there were of each fate, by the checks' own counts."""
    told = [found.get("counts") for name, found in checks(doc).items() if name in CHECKS]
    counts = [typed(each, dict[str, float]) or {} for each in told]
    return {fate: int(max((of.get(set_, 0) for of in counts), default=0)) for set_, fate in SETS.items()}


def _beside(dots: list[Dot], close: float) -> list[Dot]:
    """Each a step aside from the one before it, if that is close."""
    placed: list[Dot] = []
    for dot in sorted(dots, key=lambda dot: dot.at):
        gives_way = bool(placed) and dot.at - placed[-1].at < close
        depth = (placed[-1].depth + 1) % DEEP if gives_way else 0
        placed.append(Dot(dot.at, dot.life, dot.event_id, depth))
    return placed
