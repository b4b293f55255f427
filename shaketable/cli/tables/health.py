"""The health report: the score by phase and by fault, next to the events that were really stored."""

from __future__ import annotations

from itertools import pairwise

from shaketable.checks import HealthHonest, RecoversInTime
from shaketable.checks.check import Check, Verdict
from shaketable.checks.kinds.spans import Span, observed_at, told
from shaketable.cli.tables.script import Report, judged
from shaketable.evidence.history import NEVER, History
from shaketable.report.tables import table as tables
from shaketable.report.tables.table import Cell

#: The laws of this report.
LAWS: tuple[Check, ...] = (HealthHonest(), RecoversInTime())


def report(history: History) -> Report:
    """A table of the score, and the verdicts of `health_honest` and `recovers_in_time`."""
    verdict, findings = judged(history, LAWS)
    if history.probes is None or not len(history.probes):
        return Report(verdict if verdict is Verdict.FAILED else Verdict.UNKNOWN, findings=findings)
    rows = [{"row": name, **_row(history, span)} for name, span in _spans(history).items() if span.seconds > 0]
    return Report(verdict, {"health": tables.of(rows)}, findings)


def _spans(history: History) -> dict[str, Span]:
    """Every phase, then every fault."""
    began = sorted(history.phases.items(), key=lambda phase: phase[1])
    phases = {name: Span(begin, end) for (name, begin), (_, end) in pairwise(began)}
    faults = {
        f"{fault.number}: {fault.label}"[:22]: Span(fault.in_effect, min(fault.heal_began, observed_at(history)))
        for fault in history.faults
        if fault.in_effect != NEVER
    }
    return phases | faults


def _row(history: History, span: Span) -> dict[str, Cell]:
    assert history.probes is not None
    seen = history.probes[(history.probes.time >= span.begin) & (history.probes.time < span.end)]
    score = seen.health.where(seen.answered)
    return {
        "from": told(history, span.begin),
        "seconds": round(span.seconds, 1),
        "asked": len(seen),
        "silent": int((~seen.answered).sum()),
        "lowest": float(score.min()),
        "median": float(score.median()),
        "highest": float(score.max()),
        "queue": float(seen.queue.max()),
        "commits": len(span.of(history.commits)),
    }
