"""Find regressions: compare two sets of results, scenario by scenario."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shaketable import plural
from shaketable.checks.check import Verdict, ordinary
from shaketable.errors import InputError
from shaketable.results import significance
from shaketable.results.metrics import METRICS, Metric, span
from shaketable.results.result import Result


class Said(StrEnum):
    """The result of one comparison."""

    WORSE = "worse"
    LOST = "not judged now"  # it was judged before
    BETTER = "better"
    SAME = "as before"
    UNKNOWN = "unknown whether"


@dataclass(frozen=True)
class Difference:
    """One compared item of a scenario, before and now."""

    scenario: str
    what: str
    before: str
    now: str
    said: Said
    why: str = ""


@dataclass(frozen=True)
class VerdictCounts:
    """Numbers of trials that passed, failed, or had no verdict."""

    passed: int = 0
    failed: int = 0
    other: int = 0

    @classmethod
    def of(cls, verdicts: Sequence[str]) -> VerdictCounts:
        """Count verdicts by name."""
        passed, failed = verdicts.count("passed"), verdicts.count("failed")
        return cls(passed, failed, len(verdicts) - passed - failed)

    @property
    def judged(self) -> int:
        """The number of judged trials."""
        return self.passed + self.failed

    def less_judged(self, than: VerdictCounts) -> bool:
        """Whether a larger share of trials has no verdict."""
        return self.other * max(1, than.judged + than.other) > than.other * (self.judged + self.other)

    def __str__(self) -> str:
        told = {"passed": self.passed, "failed": self.failed, "not judged": self.other}
        return ", ".join(f"{count} {what}" for what, count in told.items() if count) or "–"


def differences(old: Sequence[Result], new: Sequence[Result]) -> list[Difference]:
    """Compare each scenario's verdict, checks (only changed ones are listed) and metrics, in order.

    Raises InputError for results of different targets.
    """
    _of_one_target(old, new)
    before, now = _by_scenario(old), _by_scenario(new)
    return [
        row
        for name in [*before, *(name for name in now if name not in before)]
        for row in _of_scenario(name, before.get(name, []), now.get(name, []))
    ]


def code(rows: Sequence[Difference]) -> int:
    """The exit code: 1 for a regression; 2 if unknown (an item is no longer judged, or none was); else 0."""
    said = {row.said for row in rows}
    if Said.WORSE in said:
        return 1
    return 2 if Said.LOST in said or not said & {Said.SAME, Said.BETTER} else 0


def _by_scenario(runs: Sequence[Result]) -> dict[str, list[Result]]:
    return {name: [run for run in runs if run.scenario == name] for name in dict.fromkeys(r.scenario for r in runs)}


def _of_one_target(old: Sequence[Result], new: Sequence[Result]) -> None:
    """Check that all results are of one target; a run without a verdict may have none."""
    before, now = ({run.target for run in runs if run.target} for runs in (old, new))
    if len(before | now) > 1:
        of = [" and ".join(sorted(names)) or "none" for names in (before, now)]
        raise InputError(
            f"expected results of one target, got {of[0]} before and {of[1]} now: "
            "`shaketable compare` puts several beside each other"
        )


def _of_scenario(name: str, old: list[Result], new: list[Result]) -> Iterator[Difference]:
    before, now = (VerdictCounts.of([run.verdict for run in runs]) for runs in (old, new))
    yield _row(name, "verdict", before, now, "" if old and new else "it is new" if new else "it was not played")
    if not (before.judged and now.judged):
        return
    yield from _checks(name, old, new)
    for measure in METRICS:
        yield from _figure(name, measure, old, new)


def _row(name: str, what: str, old: VerdictCounts, new: VerdictCounts, why: str = "") -> Difference:
    return Difference(name, what, str(old), str(new), _said(old, new), why)


def _said(old: VerdictCounts, new: VerdictCounts) -> Said:
    """Compare verdicts: a new failure, or more failures beyond chance, is worse; fewer judged trials are lost."""
    if significance.more_often((old.failed, old.judged), (new.failed, new.judged)):
        return Said.WORSE
    if old.judged and (not new.judged or new.less_judged(old)):
        return Said.LOST
    if not (old.judged and new.judged):
        return Said.UNKNOWN
    return Said.BETTER if old.failed and not new.failed else Said.SAME


def _checks(name: str, old: list[Result], new: list[Result]) -> Iterator[Difference]:
    """The required checks of either side that changed."""
    counting = dict.fromkeys(check for run in [*old, *new] for check, found in run.checks.items() if found.required)
    for check in counting:
        before, now = (_tally(check, runs) for runs in (old, new))
        row = _row(name, check, before, now, _why(check, new))
        if row.said not in (Said.SAME, Said.UNKNOWN):
            yield row
        if before.failed and now.failed:
            yield from _counts(name, check, old, new)


def _tally(check: str, runs: list[Result]) -> VerdictCounts:
    """Count a check's verdicts, without not applicable ones."""
    verdicts = [str(run.checks[check].verdict) for run in runs if check in run.checks]
    return VerdictCounts.of([verdict for verdict in verdicts if verdict != Verdict.NOT_APPLICABLE])


def _why(check: str, runs: list[Result]) -> str:
    """The reason of the first trial that did not pass."""
    bad = (Verdict.FAILED, Verdict.UNKNOWN)
    return next((run.checks[check].why for run in runs if check in run.checks and run.checks[check].verdict in bad), "")


def _counts(name: str, check: str, old: list[Result], new: list[Result]) -> Iterator[Difference]:
    """For a check that failed before too: the anomaly sets that were always empty before."""
    sets = dict.fromkeys(each for run in new if check in run.checks for each in run.checks[check].members)
    for each in sets:
        before, now = (
            [run.checks[check].counts.get(each, 0) for run in runs if check in run.checks] for runs in (old, new)
        )
        if not ordinary(each) and not any(before) and any(now):
            yield Difference(name, f"{check}: {each}", "0", span(now), Said.WORSE, "never before")


def _figure(name: str, measure: Metric, old: list[Result], new: list[Result]) -> Iterator[Difference]:
    """Compare a metric over judged runs; measurements of a starved harness do not describe the target.

    A metric that was measured before and is not now is lost: a backlog that never drains has no recovery time.
    """
    before, now = (
        [value for run in runs if run.verdict in ("passed", "failed") if (value := measure.of(run)) is not None]
        for runs in (old, new)
    )
    if not (before or now):
        return
    said, why = Said.UNKNOWN, f"{len(before)} and {len(now)} trials; {significance.FEWEST} each show the noise"
    if min(len(before), len(now)) >= significance.FEWEST:
        way = significance.beyond(before, now, measure.least) * (-1 if measure.more_is_better else 1)
        said, why = {1: Said.WORSE, -1: Said.BETTER}.get(way, Said.SAME), ""
    elif len(before) >= significance.FEWEST and not now:
        said, why = Said.LOST, f"it was measured in {plural.counted(len(before), 'trials')} before, in none now"
    yield Difference(name, f"{measure.name} {measure.unit}", span(before), span(now), said, why)
