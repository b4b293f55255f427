"""Whether the evidence of a run is valid: the harness checks itself before it judges the target."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from shaketable.clock import MS
from shaketable.evidence.history.clocks import DISAGREE
from shaketable.evidence.history.columns import NEVER
from shaketable.evidence.history.history import History
from shaketable.evidence.history.lateness import harness_lateness

#: The phase that a run must reach to be judged.
LAST_PHASE = "observe"


def why_invalid(history: History) -> list[str]:
    """Reasons why this run is unknown regardless of its checks; [] for a valid run."""
    return [reason for look in _LOOKS for reason in look(history)]


def _failed(history: History) -> Iterator[str]:
    yield from history.failures


def _cut_off(history: History) -> Iterator[str]:
    if LAST_PHASE not in history.phases:
        last = max(history.phases, key=lambda name: history.phases[name], default="none at all")
        yield f"the run did not reach the phase `{LAST_PHASE}`: its last phase was {last}"


def _unsent(history: History) -> Iterator[str]:
    """More events stayed unsent than the scenario allows: the load was not as planned."""
    if history.events is None or not len(history.events):
        yield "no load was planned: schedule.jsonl is missing or empty"
        return
    share, bound = float(history.events.unsent.mean()), history.scenario.load.unsent_bound
    if share > bound:
        yield f"{share:.1%} of the scheduled events were never sent (bound {bound:.1%})"


def starved(history: History) -> Iterator[str]:
    """The harness itself was late: the machine was too busy for both, so no time can be attributed to the target."""
    late, bound = harness_lateness(history), history.scenario.load.lateness_bound_ms
    if len(late) and (p99 := float(np.quantile(late, 0.99)) / MS) > bound:
        yield f"the harness sent late: p99 {p99:.0f} ms after the intended time (bound {bound:g} ms)"


def _unwitnessed(history: History) -> Iterator[str]:
    for fault in history.faults:
        if fault.began == NEVER:
            yield f"fault {fault.number} ({fault.label}) was never injected"
        elif fault.landed is not True:
            yield f"nothing shows that fault {fault.number} ({fault.label}) landed: {fault.text or 'it has no witness'}"


def _unread(history: History) -> Iterator[str]:
    for what, kept in (("stored rows", history.stored), ("dead letters", history.dead)):
        many, why = history.unread(kept)
        if many:
            yield f"{f'{many:g} {what}' if many < float('inf') else f'some {what}'} could not be read: {why}"


def _unhealed(history: History) -> Iterator[str]:
    for fault in history.faults:
        if fault.began != NEVER and fault.healed == NEVER:
            yield f"fault {fault.number} ({fault.label}) was never healed"


def _clocks(history: History) -> Iterator[str]:
    yield from history.clocks.problems()
    if history.clock_error > DISAGREE:
        error, bound = history.clock_error / MS, DISAGREE // MS
        yield f"the times of a load worker elsewhere are known to ±{error:.0f} ms only (bound {bound} ms)"


_LOOKS: tuple[Callable[[History], Iterator[str]], ...] = (
    _failed,
    _cut_off,
    _unsent,
    starved,
    _unwitnessed,
    _unhealed,
    _unread,
    _clocks,
)
