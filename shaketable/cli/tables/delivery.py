"""The delivery report: the fate of the events, by class and by phase."""

from __future__ import annotations

from shaketable.checks import NoDuplicates, NoLoss, NothingInvented, OrderKept
from shaketable.checks.check import Check, Verdict
from shaketable.cli.tables.script import Report, judged
from shaketable.evidence.history import History
from shaketable.report.tables import frames

#: The laws of delivery.
LAWS: tuple[Check, ...] = (NoLoss(), NoDuplicates(), NothingInvented(), OrderKept())


def report(history: History) -> Report:
    """The tables, the laws of delivery, and the worst of their verdicts."""
    if history.events is None:
        missing = "schedule.jsonl is missing: nobody knows what was meant to be sent"
        return Report(Verdict.UNKNOWN, why=missing)
    verdict, findings = judged(history, LAWS)
    events, rates = frames.delivery(history), frames.rates(history)
    narrow = {"events": frames.table(events.T)}
    return Report(verdict, {"events": frames.table(events), "rates": frames.table(rates)}, findings, at_terminal=narrow)
