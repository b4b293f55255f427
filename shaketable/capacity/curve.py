"""The steps of a target and of the load generator, and what they say together."""

from __future__ import annotations

import msgspec

from shaketable.capacity.search import highest
from shaketable.capacity.step import Step
from shaketable.checks.check import Verdict
from shaketable.results.result import Result


class Curve(msgspec.Struct, frozen=True):
    """capacity.json."""

    target: str
    steps: list[Step]  # in the order in which they were played
    generator: list[Step]  # of the load generator alone
    seconds: float  # of load at each rate
    acknowledged_within_s: float
    stored_within_s: float

    @property
    def sustained(self) -> float | None:
        """The highest rate that the target sustained, in events a second."""
        return highest(self.steps)

    @property
    def reached(self) -> float | None:
        """The highest rate that the load generator reached."""
        return highest(self.generator)

    @property
    def next_above(self) -> Step | None:
        """The lowest step above it."""
        above = [step for step in self.steps if not step.sustained]
        return min(above, key=lambda step: step.rate, default=None)

    @property
    def verdict(self) -> Verdict:
        """Failed if no rate was sustained although one was judged; unknown if none could be judged."""
        if self.sustained is not None:
            return Verdict.PASSED
        return Verdict.FAILED if any(step.sustained is False for step in self.steps) else Verdict.UNKNOWN

    def sentences(self) -> list[str]:
        """What was found, a sentence a line."""
        told = [self._found]
        told += [self._above] if self._above else []
        if self.reached:
            told.append(f"The load generator alone reaches at least {self.reached:,g} events/s on this machine.")
        return told

    @property
    def _found(self) -> str:
        """The sentence on the highest sustained rate."""
        budgets = f"acknowledged within {self.acknowledged_within_s:g} s and stored within {self.stored_within_s:g} s"
        if self.sustained:
            rate = f"{self.target} sustains {self.sustained:,g} events/s for {self.seconds:g} s"
            return f"{rate}: no event was lost, and 99 of 100 were {budgets}."
        if self.verdict is Verdict.UNKNOWN:
            return f"No rate could be judged for {self.target}."
        needs = f"at a sustained rate no event is lost, and 99 of 100 are {budgets}"
        return f"{self.target} sustains none of the tried rates for {self.seconds:g} s: {needs}."

    @property
    def _above(self) -> str:
        """The sentence on the lowest step above the highest rate; "" without one."""
        if (step := self.next_above) is None:
            return ""
        return f"{step.rate:,g} {'is not known' if step.sustained is None else 'is too much'}: {step.why}."

    def result(self) -> Result:
        """For --json, --junit and --github."""
        figures = {"sustained_per_s": self.sustained, "load_generator_per_s": self.reached}
        why = "" if self.verdict is Verdict.PASSED else self._above
        return Result(
            scenario="capacity",
            verdict=self.verdict.value,  # type: ignore[arg-type]
            exit_code=self.verdict.exit_code,
            target=self.target,
            story=self.sentences()[0],
            why=why,
            figures=figures,
        )
