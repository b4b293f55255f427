"""A scenario with a fault and a check of its own."""

from dataclasses import dataclass
from typing import ClassVar

from shaketable import At, Load, Mix, Scenario, check, checks, faults, run
from shaketable.faults import FaultContext, Toxic, ToxicFault, Witness


@dataclass(frozen=True)
class Faraway(ToxicFault):
    """Postgres is far away."""

    kind: ClassVar[str] = "faraway"
    colour: ClassVar[str] = "#2471a3"
    service: faults.Service = "postgres"
    process: str | None = None
    ms: int = 80

    @property
    def label(self) -> str:
        return f"postgres {self.ms} ms away"

    @property
    def toxics(self) -> tuple[Toxic, ...]:
        return (Toxic("latency", {"latency": self.ms, "jitter": 0}),)

    def witness(self, context: FaultContext) -> Witness:
        return faults.witness_links(self.links(context), faults.slower(by_ms=self.ms / 2), context.links.round_trip_ms)


@dataclass(frozen=True)
class FewResends:
    """At most `most` events are sent more than once."""

    name: ClassVar[str] = "few_resends"
    most: int = 10

    def judge(self, history: checks.History) -> checks.Finding:
        if history.events is None:
            return checks.Finding(checks.Verdict.UNKNOWN, why="schedule.jsonl is missing")
        resent = int((history.attempts.event.value_counts() > 1).sum())
        verdict = checks.Verdict.PASSED if resent <= self.most else checks.Verdict.FAILED
        return checks.Finding(verdict, {"resent": resent})


SCENARIO = Scenario(
    name="faraway",
    story="Postgres is far away for 4 s, and nothing is lost.",
    load=Load(rate=50, baseline_s=2, shake_s=5, recover_s=3),
    mix=Mix(ordered=0.5),
    timeline=(At(0.5, 4.5, Faraway()),),
    checks=(checks.NoLoss(), checks.RecoversInTime(), FewResends()),
    settings={"lease_s": 2},
)


def main() -> None:
    result = run(SCENARIO, target="reference", seed=2, budgets={"recovery_s": 10})
    verdict: checks.Verdict = check(result.run).verdict
    print(result.verdict, verdict.exit_code)
