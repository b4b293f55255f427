"""Spans: what lasted from one time to another: phases, faults, the states of each worker's breaker."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

from shaketable.clock import SECOND
from shaketable.evidence.history import NEVER
from shaketable.evidence.history.observations import REPAIR
from shaketable.faults import FAULTS
from shaketable.report.page.recording import Recording
from shaketable.text import plain

#: The colour of a fault whose kind nobody knows any more.
UNKNOWN_COLOUR = "#7f8c8d"
#: Of Toxiproxy's own recovery, which no scenario asks for.
REPAIR_COLOUR = "#17202a"
#: Breakers that are drawn; more would be unreadable, and the table of checks counts them all.
MOST_BREAKERS = 16


@dataclass(frozen=True)
class DrawnSpan:
    """Seconds after T0; `label` is fit to be drawn."""

    begin: float
    end: float
    label: str
    colour: str = UNKNOWN_COLOUR
    row: int = 0


def phases(recording: Recording, end: float) -> list[DrawnSpan]:
    """The phases from the baseline on, each until the next begins."""
    began = sorted((float(recording.seconds(at)), name) for name, at in recording.phases.items())
    found = [DrawnSpan(max(begin, 0.0), min(until, end), plain(name)) for begin, until, name in _until_next(began, end)]
    return [span for span in found if span.end > span.begin]


def _until_next(began: list[tuple[float, str]], end: float) -> list[tuple[float, float, str]]:
    """Each from its own beginning until the next one's; the last until `end`."""
    return [(begin, until, name) for (begin, name), (until, _) in pairwise([*began, (end, "")])]


def faults(recording: Recording, end: float) -> list[DrawnSpan]:
    """The faults that were injected, until they were healed; overlapping ones in rows of their own."""
    colours = {REPAIR: REPAIR_COLOUR, **{name: kind.colour for name, kind in FAULTS.kinds().items()}}
    found = []
    for fault in recording.faults:
        if fault.began != NEVER:
            until = end if fault.healed == NEVER else float(recording.seconds(fault.healed))
            colour = _colour(fault.colour) or colours.get(fault.spec.get("kind", ""), UNKNOWN_COLOUR)
            found.append(DrawnSpan(float(recording.seconds(fault.began)), until, plain(fault.label), colour))
    return in_rows(found)


def _colour(told: str) -> str:
    """The colour that the run was given, where it is one: a run directory may be a stranger's."""
    return told if re.fullmatch("#[0-9a-f]{6}", told) else ""


def in_rows(spans: Iterable[DrawnSpan]) -> list[DrawnSpan]:
    """Each in the first row that is free when it begins."""
    free: list[float] = []
    placed = []
    for span in sorted(spans, key=lambda span: span.begin):
        row = next((i for i, until in enumerate(free) if until <= span.begin + 0.25), len(free))
        free[row : row + 1] = [span.end]
        placed.append(replace(span, row=row))
    return placed


def breakers(recording: Recording, end: float) -> dict[str, list[DrawnSpan]] | None:
    """The states of each process's breaker, in order; None when no transitions were kept."""
    if recording.transitions is None:
        return None
    names = sorted(recording.transitions.process.unique())[:MOST_BREAKERS]
    return {plain(name): _states(recording, name, end) for name in names}


def _states(recording: Recording, process: str, end: float) -> list[DrawnSpan]:
    """Each state lasts until the next begins, its process ends, or the run does."""
    rows = recording.transitions
    assert rows is not None
    own = rows[(rows.process == process) & (rows.time >= 0)].sort_values("time", kind="stable")
    states = [(float(recording.seconds(row.time)), str(row.to)) for row in own.itertuples()]
    exits = _exits(recording, process)
    spans = [
        DrawnSpan(max(begin, 0.0), min(until, end, *(at for at in exits if at > begin)), plain(to))
        for begin, until, to in _until_next(states, end)
    ]
    return [span for span in spans if span.end >= span.begin and span.end > 0]


def _exits(recording: Recording, process: str) -> list[float]:
    rows = recording.processes
    if rows is None:
        return []
    return [float(at) / SECOND for at in rows.time[(rows.process == process) & ~rows.started] - recording.start]
