"""Spans of time: phases, faults, and the states of each worker's breaker."""

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

#: The colour of a fault of unknown kind.
UNKNOWN_COLOUR = "#7f8c8d"
#: The colour of a repair of Toxiproxy, which is not part of a scenario.
REPAIR_COLOUR = "#17202a"
#: The most breakers that are drawn; the table of checks counts all.
MOST_BREAKERS = 16


@dataclass(frozen=True)
class DrawnSpan:
    """A span in seconds after T0; `label` is sanitised."""

    begin: float
    end: float
    label: str
    colour: str = UNKNOWN_COLOUR
    row: int = 0


def phases(recording: Recording, end: float) -> list[DrawnSpan]:
    """The phases from the baseline on, each until the start of the next."""
    began = sorted((float(recording.seconds(at)), name) for name, at in recording.phases.items())
    found = [DrawnSpan(max(begin, 0.0), min(until, end), plain(name)) for begin, until, name in _until_next(began, end)]
    return [span for span in found if span.end > span.begin]


def _until_next(began: list[tuple[float, str]], end: float) -> list[tuple[float, float, str]]:
    """Each from its start until the next one's start; the last until `end`."""
    return [(begin, until, name) for (begin, name), (until, _) in pairwise([*began, (end, "")])]


def faults(recording: Recording, end: float) -> list[DrawnSpan]:
    """The injected faults until they were healed; overlapping ones in separate rows."""
    colours = {REPAIR: REPAIR_COLOUR, **{name: kind.colour for name, kind in FAULTS.kinds().items()}}
    found = []
    for fault in recording.faults:
        if fault.began != NEVER:
            until = end if fault.healed == NEVER else float(recording.seconds(fault.healed))
            colour = _colour(fault.colour) or colours.get(fault.spec.get("kind", ""), UNKNOWN_COLOUR)
            found.append(DrawnSpan(float(recording.seconds(fault.began)), until, plain(fault.label), colour))
    return in_rows(found)


def _colour(told: str) -> str:
    """The recorded colour if valid, else "": a run directory may come from a stranger."""
    return told if re.fullmatch("#[0-9a-f]{6}", told) else ""


def in_rows(spans: Iterable[DrawnSpan]) -> list[DrawnSpan]:
    """Place each span in the first row that is free at its start."""
    free: list[float] = []
    placed = []
    for span in sorted(spans, key=lambda span: span.begin):
        row = next((i for i, until in enumerate(free) if until <= span.begin + 0.25), len(free))
        free[row : row + 1] = [span.end]
        placed.append(replace(span, row=row))
    return placed


def breakers(recording: Recording, end: float) -> dict[str, list[DrawnSpan]] | None:
    """The states of each process's breaker, in order; None without recorded transitions."""
    if recording.transitions is None:
        return None
    names = sorted(recording.transitions.process.unique())[:MOST_BREAKERS]
    return {plain(name): _states(recording, name, end) for name in names}


def _states(recording: Recording, process: str, end: float) -> list[DrawnSpan]:
    """Each state lasts until the next one, the end of its process, or the end of the run."""
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
