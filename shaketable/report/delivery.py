"""The delivery report: what became of the events, class by class and phase by phase."""

from __future__ import annotations

from shaketable.check import Check, Verdict
from shaketable.checks import NoDuplicates, NoLoss, NothingInvented, OrderKept
from shaketable.history import History
from shaketable.report import frames
from shaketable.report.script import Report, judged, shown

#: The laws of delivery.
LAWS: tuple[Check, ...] = (NoLoss(), NoDuplicates(), NothingInvented(), OrderKept())


def report(history: History) -> Report:
    """The tables, the laws of delivery, and the worst of their verdicts."""
    if history.events is None:
        return Report(Verdict.UNKNOWN, "schedule.jsonl is missing: nobody knows what was meant to be sent")
    table = frames.delivery(history).T  # classes beside each other: so it fits
    verdict, lines = judged(history, LAWS)
    return Report(verdict, "\n\n".join(filter(None, [shown(table), shown(frames.rates(history)), lines])))
