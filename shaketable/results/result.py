"""Results of runs as one JSON document, for gates and machines."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from shaketable.checks.check import Verdict
from shaketable.checks.verdict import FaultSeen, Judged, VerdictDoc

#: Increased when an older reader would misread a member.
SCHEMA = 1
#: Exit codes from best to worst: passed, unknown, failed, bad input, harness failed.
BADNESS = (0, 2, 1, 254, 255)

Ending = Literal["passed", "failed", "unknown", "error", "interrupted", "skipped"]


def told(description: str) -> Meta:
    """A member's description in the JSON Schema."""
    return Meta(description=description)


class Covered(msgspec.Struct, frozen=True):
    """A state that trials of an exploration passed through, and in how many trials."""

    faults: Annotated[tuple[str, ...], told("the kinds of faults that were active, sorted")]
    breaker: Annotated[str, told("its state, as the target's health endpoint reported it")]
    backlog: Annotated[str, told("the band of the queue's length")]
    phase: Annotated[str, told("the phase of the run")]
    trials: Annotated[int, told("in how many trials it was seen")]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a scenario."""

    scenario: str
    verdict: Annotated[Ending, told("error, interrupted and skipped: there is no verdict on the target")]
    exit_code: Annotated[int, told("0 passed, 1 failed, 2 unknown, 254 bad input, 255 harness failed or interrupted")]
    target: Annotated[str, told("the processor's name, from its manifest")] = ""
    seed: Annotated[int, told("what corpus, schedule and resends were drawn from")] = 0
    trial: Annotated[int, told("which trial of this scenario, from 1")] = 1
    seconds: Annotated[float | None, told("all of it, set-up and judging too; null for a saved run")] = None
    why: Annotated[str, told("why there is no verdict")] = ""
    story: Annotated[str, told("the scenario in a sentence")] = ""
    reasons: Annotated[list[str], told("why the run cannot be judged, whatever its checks say")] = []
    checks: Annotated[dict[str, Judged], told("by name; only those that are required count")] = {}
    faults: Annotated[list[FaultSeen], told("each fault of the timeline, and whether it was seen to land")] = []
    figures: Annotated[dict[str, float | None], told("units in the names; null is what cannot be known")] = {}
    coverage: Annotated[list[Covered], told("of the first result of an exploration: what its trials exercised")] = []
    run: Annotated[str, told("the run directory; empty when there is none")] = ""
    machine: Annotated[str, told("the machine of a worker that played it; empty for this machine")] = ""

    @property
    def title(self) -> str:
        """The scenario's name and the trial's number."""
        return self.scenario if self.trial == 1 else f"{self.scenario} (trial {self.trial})"

    @property
    def caveats(self) -> list[str]:
        """Reasons why the run did not pass that its checks do not show."""
        if (
            self.verdict == "passed" and not self.checks and not self.why
        ):  # of many trials, which have checks of their own
            return []
        if self.why or not self.checks:
            return [self.why or f"{self.verdict}: there is no verdict"]
        if self.reasons or self.verdict == "passed" or self.wrong:
            return self.reasons
        return ["nothing that counts could be judged"]

    @property
    def wrong(self) -> dict[str, Judged]:
        """The required checks that did not pass, by name."""
        bad = (Verdict.FAILED, Verdict.UNKNOWN)
        return {name: found for name, found in self.checks.items() if found.required and found.verdict in bad}


class Results(msgspec.Struct, frozen=True):
    """The document of `--json FILE`."""

    schema: Annotated[int, told("1; raised when a member changes so that an older reader would misread it")]
    shaketable: Annotated[str, told("the version that wrote it")]
    verdict: Annotated[Ending, told("the worst of the runs: error, failed, unknown, passed")]
    exit_code: Annotated[int, told("the worst of the runs")]
    runs: Annotated[list[Result], told("in the order in which they were played")]


def of(doc: VerdictDoc, exit_code: int, *, run: str = "", trial: int = 1, seconds: float | None = None) -> Result:
    """The result of a judged run."""
    verdict: Ending = "passed" if doc.verdict is Verdict.PASSED else _bad(doc.verdict)
    return Result(
        scenario=doc.scenario,
        verdict=verdict,
        exit_code=exit_code,
        target=doc.target,
        seed=doc.seed,
        trial=trial,
        seconds=None if seconds is None else round(seconds, 1),
        story=doc.story,
        reasons=doc.reasons,
        checks=doc.checks,
        faults=doc.faults,
        figures=doc.figures,
        run=run,
    )


def _bad(verdict: Verdict) -> Ending:
    """Failed, or unknown for any other verdict than passed."""
    return "failed" if verdict is Verdict.FAILED else "unknown"


def collect(runs: Sequence[Result]) -> Results:
    """Combine results; skipped ones do not count, and without any other the verdict is unknown."""
    played = [run for run in runs if run.verdict != "skipped"]
    worst = max(played, key=lambda run: BADNESS.index(run.exit_code), default=None)
    verdict, code = ("unknown", 2) if worst is None else (worst.verdict, worst.exit_code)
    return Results(SCHEMA, version("shaketable"), verdict, code, list(runs))  # type: ignore[arg-type]
