"""The verdict of a run: every check's finding, whether the evidence can be trusted, and the figures."""

from __future__ import annotations

import msgspec

from shaketable import rundir
from shaketable.checks import CHECKS, anomalies, event_trace, from_spec
from shaketable.checks.check import Check, Finding, Verdict, judge, worst
from shaketable.checks.event_trace import EventTrace
from shaketable.checks.kinds import health_honest
from shaketable.checks.patience import patient
from shaketable.clock import SECOND
from shaketable.evidence.history import NEVER, History
from shaketable.evidence.history.contention import MOST, contended
from shaketable.evidence.history.deaths import deaths
from shaketable.evidence.history.figures import figures
from shaketable.evidence.history.validity import starved, why_invalid
from shaketable.rundir import RunDir


class Judged(Finding, frozen=True):
    """A finding, and whether the scenario names its check: only then it counts."""

    required: bool = False
    expected: str = ""  # "failed" where the scenario expects that: the verdict is then whether it did


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


class Honest(msgspec.Struct, frozen=True):
    """The honest health score of a span of time; times in seconds after T0."""

    begin: float
    end: float
    well: bool  # above 70; false: at most 70


class VerdictDoc(msgspec.Struct, frozen=True):
    """verdict.json."""

    schema: int
    verdict: Verdict
    checks: dict[str, Judged]
    faults: list[FaultSeen]
    figures: dict[str, float | None]
    reasons: list[str] = []  # why the run itself is unknown, independent of its checks
    scenario: str = ""
    story: str = ""
    target: str = ""
    seed: int = 0
    health: list[Honest] = []  # where it was judged
    lives: list[EventTrace] = []  # of the events that checks say something went wrong with
    deaths: list[str] = []  # of the target's processes that nobody had ended
    durability: dict[str, dict[str, str]] = {}  # the servers' settings in force, by service


def judge_run(run: RunDir) -> VerdictDoc:
    """Judge a run directory, a half-finished one too, and write its verdict.json. Raises InputError, HarnessError."""
    doc = judge_history(History.load(run))
    rundir.write_json(run / rundir.VERDICT, doc)
    return doc


def judge_history(history: History) -> VerdictDoc:
    """Run the checks that the scenario names, and all others."""
    named = [from_spec(spec) for spec in history.scenario.checks]
    findings: dict[str, Judged] = {}
    for check in named:  # a scenario names each once; a run directory of another's may not
        findings[check.name] = _worse(findings.get(check.name), _judged(check, history, True))
    findings |= {check.name: _judged(check, history, False) for check in _others(set(findings))}
    reasons = why_invalid(history)
    counting = [finding.verdict for finding in findings.values() if finding.required]
    return VerdictDoc(
        rundir.SCHEMA,
        worst(counting + [Verdict.UNKNOWN] * bool(reasons)),
        findings,
        _faults(history),
        figures(history),
        reasons,
        history.scenario.name,
        history.scenario.story,
        history.target.name,
        history.scenario.seed,
        _honest(history),
        event_trace.of_findings(history, findings, anomalies()),
        deaths(history),
        history.target.durability,
    )


def _worse(one: Judged | None, other: Judged) -> Judged:
    return one if one and worst([one.verdict, other.verdict]) is one.verdict else other


def _judged(check: Check, history: History, counts: bool) -> Judged:
    found = judge(check, history)
    if found.verdict is Verdict.FAILED and getattr(check, "by_the_clock", False):
        found = _unless_contended(check, _unless_starved(found, history), history)
    if found.verdict is Verdict.FAILED and history.failures:
        why = f"{found.why}; but {history.failures[0]}"
        found = msgspec.structs.replace(found, verdict=Verdict.UNKNOWN, why=why)
    expected = history.scenario.expects.get(check.name, "") if counts else ""
    return Judged(
        **msgspec.structs.asdict(_as_expected(found) if expected else found), required=counts, expected=expected
    )


def _as_expected(found: Finding) -> Finding:
    """The finding of a check that must fail: failing is then a pass, and passing a failure."""
    if found.verdict is Verdict.FAILED:
        return msgspec.structs.replace(found, verdict=Verdict.PASSED, why=f"failed, as expected: {found.why}")
    if found.verdict is Verdict.PASSED:
        why = "it passed, although the scenario expects it to fail"
        return msgspec.structs.replace(found, verdict=Verdict.FAILED, why=why)
    return found


def _unless_starved(found: Finding, history: History) -> Finding:
    """Where the harness had no time to send, the target may have had none to work: too late is then unknown."""
    if (why := next(starved(history), None)) is None:
        return found
    return msgspec.structs.replace(found, verdict=Verdict.UNKNOWN, why=f"{found.why}; but {why}")


def _unless_contended(check: Check, found: Finding, history: History) -> Finding:
    """Where others kept the machine busy, a time is too long only if it exceeds a multiple of the budget.

    Where they used most of it, work may wait in line without end, and no time of it is too long.
    """
    if found.verdict is not Verdict.FAILED or not (busy := contended(history)):
        return found
    if busy.used <= MOST or not getattr(check, "of_work", False):
        relaxed = patient(check, history)
        if relaxed is None or judge(*relaxed).verdict is Verdict.FAILED:
            return found
    return msgspec.structs.replace(found, verdict=Verdict.UNKNOWN, why=f"{found.why}; but {busy}")


def _honest(history: History) -> list[Honest]:
    """The scores that `health_honest` judged by; nothing where it raised, which its own finding reports."""
    start = history.start or 0
    try:
        found = list(health_honest.expected(history))
    except Exception:  # a broken check must not take the others' verdicts with it
        return []
    spans = [((span.begin - start) / SECOND, (span.end - start) / SECOND, well) for span, well in found]
    return [Honest(round(begin, 3), round(end, 3), well) for begin, end, well in sorted(spans)]


def _others(named: set[str]) -> list[Check]:
    """Every other check, with its own default budgets."""
    return [kind() for name, kind in CHECKS.kinds().items() if name not in named]


def _faults(history: History) -> list[FaultSeen]:
    return [
        FaultSeen(f.number, f.label, f.at_s, f.until_s, f.landed, f.figure, f.unit, f.text, f.began != NEVER)
        for f in history.faults
    ]
