"""The anomalous events: each is a dot on the time axis that links to the event's trace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shaketable.checks import anomalies
from shaketable.report.page.header import Tile
from shaketable.report.page.recording import typed
from shaketable.report.page.sentence import checks
from shaketable.report.page.theme import GREY
from shaketable.text import number

#: Dots closer than this share of the run are stacked, up to DEEP of them.
CLOSE, DEEP = 1 / 150, 3


@dataclass(frozen=True)
class Dot:
    """One event; `life` is the number of its trace on the page, from 1; `depth` is its position in the stack."""

    at: float
    life: int
    event_id: str
    depth: int


@dataclass(frozen=True)
class AnomalyRow:
    """The events of one anomaly, in order; `total` includes events without a dot."""

    fate: str
    colour: str
    total: int
    dots: list[Dot]


def rows(doc: Mapping[str, Any], end: float) -> list[AnomalyRow]:
    """One row per anomaly, in the order of the traces, then those without dots."""
    found: dict[str, list[Dot]] = {}
    for n, life in enumerate(typed(doc.get("lives"), list[dict[str, Any]]) or [], 1):
        at = life.get("at")
        if isinstance(at, int | float) and at >= 0 and not life.get("example_of"):
            dot = Dot(min(float(at), end), n, str(life.get("event_id") or ""), 0)
            found.setdefault(str(life.get("fate") or ""), []).append(dot)
    totals, colours = totals_of(doc), {anomaly.label: anomaly.colour for _, anomaly in anomalies()}
    found |= {fate: [] for fate, total in totals.items() if total and fate not in found}
    return [
        AnomalyRow(fate, colours.get(fate, GREY), max(totals.get(fate, 0), len(dots)), _beside(dots, end * CLOSE))
        for fate, dots in found.items()
    ]


def totals_of(doc: Mapping[str, Any]) -> dict[str, int]:
    """The number of events of each anomaly by the checks' counts."""
    counts = {name: typed(found.get("counts"), dict[str, float]) or {} for name, found in checks(doc).items()}
    return {each.label: int(counts.get(check, {}).get(each.set, 0)) for check, each in anomalies()}


#: The anomalies with a tile in every judged run.
_ALWAYS = ("lost", "doubled", "altered")


def tiles(doc: Mapping[str, Any]) -> list[Tile]:
    """The number of events that were lost, doubled and altered, then of every other anomaly of the run.

    "unknown" if the check of an anomaly could not be judged.
    """
    totals, found = totals_of(doc), checks(doc)
    by = {anomaly.label: str(found.get(check, {}).get("verdict") or "") for check, anomaly in anomalies()}
    shown = [_tile(label, totals.get(label, 0), by.get(label, "")) for label in _ALWAYS]
    shown += [_tile(label, total, "failed") for label, total in totals.items() if total and label not in _ALWAYS]
    return [tile for tile in shown if tile]


def _tile(label: str, total: int, verdict: str) -> Tile | None:
    """The tile of an anomaly; None if nobody judged it."""
    if total:
        return Tile(label, number(total), "bad")
    tones = {"passed": Tile(label, "0", "good"), "unknown": Tile(label, "unknown", "doubt")}
    return tones.get(verdict)


def _beside(dots: list[Dot], close: float) -> list[Dot]:
    """Stack dots that are close to the previous one."""
    placed: list[Dot] = []
    for dot in sorted(dots, key=lambda dot: dot.at):
        gives_way = bool(placed) and dot.at - placed[-1].at < close
        depth = (placed[-1].depth + 1) % DEEP if gives_way else 0
        placed.append(Dot(dot.at, dot.life, dot.event_id, depth))
    return placed
