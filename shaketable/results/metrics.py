"""The metrics that are compared between runs: their source, their direction and the smallest relevant difference."""

from __future__ import annotations

from dataclasses import dataclass

from shaketable.results.result import Result
from shaketable.text import number


@dataclass(frozen=True)
class Metric:
    """One metric."""

    name: str
    unit: str
    figure: str  # a name among a result's figures, or CHECK.COUNT
    least: float  # smaller differences are ignored: below the harness's resolution, or irrelevant
    more_is_better: bool = False

    def of(self, run: Result) -> float | None:
        """Its value in a run; None if unknown."""
        check, dot, count = self.figure.partition(".")
        if not dot:
            return run.figures.get(self.figure)
        return run.checks[check].counts.get(count) if check in run.checks else None


RECOVERY = Metric("recovery", "s", "heal_to_empty_backlog_s", 0.4)  # two probe intervals
LOST = Metric("lost", "", "no_loss.lost", 1)
#: Those whose differences are judged.
METRICS = (
    RECOVERY,
    Metric("first commit", "s", "heal_to_first_commit_s", 0.1),
    Metric("freshness p99", "s", "latency_budget.stored_p99_s", 0.1),
    Metric("drain", "/s", "drained_per_s", 10, more_is_better=True),
    Metric("intake p99", "ms", "intake_p99_ms", 5),
    Metric("memory", "MiB", "memory_peak_mib", 8),
)


def span(values: list[float]) -> str:
    """The range of the values: `1.2–3.4`; a dash without any."""
    told = [number(value) for value in ((min(values), max(values)) if values else ())]
    return "–".join(dict.fromkeys(told)) or "–"
