"""Literal results, for what reads them."""

from __future__ import annotations

from typing import Any

from shaketable.checks.check import Verdict
from shaketable.checks.verdict import FaultSeen, Judged
from shaketable.results.result import Ending, Result

CODES: dict[Ending, int] = {"passed": 0, "failed": 1, "unknown": 2, "error": 255, "interrupted": 255}


def judged(verdict: str, why: str = "", required: bool = True, members: Any = None, **counts: float) -> Judged:
    """A check's finding."""
    return Judged(Verdict(verdict), counts, members or {}, why, required)


def played(verdict: Ending = "passed", scenario: str = "outage", **more: Any) -> Result:
    """One run; a sane one has a check that counts, with the run's verdict."""
    named = verdict if verdict in ("failed", "unknown") else "passed"
    sane: dict[str, Any] = {
        "checks": {} if "why" in more else {"no_loss": judged(named, lost=0)},
        "seed": 1,
        "target": "reference",
        "figures": {"acknowledged": 100, "stored": 100},
        "run": "runs/x",
    }
    return Result(scenario=scenario, verdict=verdict, exit_code=CODES[verdict], **(sane | more))


def seen(figure: float, unit: str = "links", landed: bool = True) -> FaultSeen:
    """A fault of the timeline."""
    return FaultSeen(0, "a test's", 0, 1, landed, figure, unit)
