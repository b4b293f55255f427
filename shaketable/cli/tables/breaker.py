"""The breaker report: every breaker's transitions, and the statements that the store received while it was open."""

from __future__ import annotations

from shaketable.checks import BreakerBehaves
from shaketable.checks.check import Check, Verdict
from shaketable.checks.kinds.incarnation import HALF_OPEN, OPEN, Incarnation, incarnations
from shaketable.checks.kinds.spans import Span, told
from shaketable.cli.tables.script import Report, judged
from shaketable.evidence.history import History
from shaketable.report.tables import table as tables
from shaketable.report.tables.table import Cell

#: The laws of this report.
LAWS: tuple[Check, ...] = (BreakerBehaves(),)


def report(history: History) -> Report:
    """A table of every stay in a state, one of totals, and the verdict of `breaker_behaves`."""
    verdict, findings = judged(history, LAWS)
    lives = incarnations(history)
    if not lives:
        return Report(Verdict.UNKNOWN if verdict is Verdict.PASSED else verdict, findings=findings)
    stays = tables.of([row for life in lives for row in _stays(history, life)])
    totals = tables.of([_totals(life) for life in lives], row="breaker")
    return Report(verdict, {"stays": stays, "breakers": totals}, findings)


def _stays(history: History, life: Incarnation) -> list[dict[str, Cell]]:
    """A row for each stay: its begin, state and duration, and the traffic at the store or a sink."""
    rows: list[dict[str, Cell]] = []
    for begin, end, state in zip(life.times, [*life.times[1:], life.end], life.states, strict=True):
        span = Span(begin, end)
        rows.append(
            {
                "breaker": life.name,
                "from": told(history, begin),
                "state": state,
                "seconds": round(span.seconds, 2),
                "sunk": len(span.of(life.sunk)),
                "connects": len(span.of(life.received("connect"))),
                "statements": len(span.of(life.received("statement"))),
            }
        )
    return rows


def _totals(life: Incarnation) -> dict[str, Cell]:
    opened = list(life.spans(OPEN))
    return {
        "row": life.name,
        "transitions": len(life.states),
        "opened": len(opened),
        "trials": len(list(life.spans(HALF_OPEN))),
        "seconds open": round(sum(span.seconds for span in opened), 1),
        "at the end": "(ended) " * life.ended + life.states[-1],
        "whole": life.is_whole,
    }
