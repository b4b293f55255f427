"""The verdict of a run: every check's finding, whether the evidence can be trusted, and the figures beside them."""

from __future__ import annotations

import msgspec

from shaketable import life, rundir
from shaketable.check import Check, Finding, Verdict, judge, worst
from shaketable.checks import CHECKS, from_spec
from shaketable.history import NEVER, History
from shaketable.history.doubts import doubts, starved
from shaketable.history.figures import figures
from shaketable.life import Life
from shaketable.rundir import RunDir


class Judged(Finding, frozen=True):
    """A finding, and whether the scenario names its check: only then it counts."""

    required: bool = False


class FaultSeen(msgspec.Struct, frozen=True):
    """One fault of the timeline, and whether evidence shows that it landed; null is no evidence."""

    number: int
    label: str
    at: float  # seconds into the shake
    until: float
    landed: bool | None
    figure: float | None = None
    unit: str = ""
    text: str = ""
    injected: bool = True


class VerdictDoc(msgspec.Struct, frozen=True):
    """verdict.json."""

    schema: int
    verdict: Verdict
    checks: dict[str, Judged]
    faults: list[FaultSeen]
    figures: dict[str, float | None]
    reasons: list[str] = []  # why the run itself is unknown, whatever the checks say
    scenario: str = ""
    story: str = ""
    target: str = ""
    seed: int = 0
    lives: list[Life] = []  # of the events that checks say are lost, doubled, misordered, invented or altered


def judge_run(run: RunDir) -> VerdictDoc:
    """Judge a run directory, a half-finished one too, and write its verdict.json. Raises InputError, HarnessError."""
    doc = judge_history(History.load(run))
    rundir.write_json(run / rundir.VERDICT, doc)
    return doc


def judge_history(history: History) -> VerdictDoc:
    """Run the checks that the scenario names and, beside them, all others there are."""
    named = [from_spec(spec) for spec in history.scenario.checks]
    findings = {check.name: _judged(check, history, True) for check in named}
    findings |= {check.name: _judged(check, history, False) for check in _others(set(findings))}
    reasons = doubts(history)
    counting = [finding.verdict for finding in findings.values() if finding.required]
    return VerdictDoc(
        rundir.SCHEMA, worst(counting + [Verdict.UNKNOWN] * bool(reasons)), findings, _faults(history),
        figures(history), reasons, history.scenario.name, history.scenario.story, history.target.name,
        history.scenario.seed, life.of_findings(history, findings),
    )  # fmt: skip


def _judged(check: Check, history: History, counts: bool) -> Judged:
    found = judge(check, history)
    if found.verdict is Verdict.FAILED and getattr(check, "by_the_clock", False):
        found = _unless_starved(found, history)
    return Judged(**msgspec.structs.asdict(found), required=counts)


def _unless_starved(found: Finding, history: History) -> Finding:
    """Where the harness had no time to send, the target may have had none to work: too late is then unknown."""
    if (why := next(starved(history), None)) is None:
        return found
    return msgspec.structs.replace(found, verdict=Verdict.UNKNOWN, why=f"{found.why}; but {why}")


def _others(named: set[str]) -> list[Check]:
    """Every other check, with its own default budgets."""
    return [kind() for name, kind in CHECKS.kinds().items() if name not in named]


def _faults(history: History) -> list[FaultSeen]:
    return [
        FaultSeen(f.number, f.label, f.at_s, f.until_s, f.landed, f.figure, f.unit, f.text, f.began != NEVER)
        for f in history.faults
    ]
