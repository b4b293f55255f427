"""The drain waits for what may come back: as long as the target's own lease, not only as long as the scenario says."""

from __future__ import annotations

from typing import cast

import pytest

from shaketable.clock import SECOND
from shaketable.evidence.backlog import Backlog, Counts
from shaketable.runner.drain import LONGEST_LEASE_S, QUIET_S, Drain, Patience


class Clock:
    def __init__(self) -> None:
        self.at = 0

    def now(self) -> int:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += int(seconds * SECOND)


class Redelivered:
    """A backlog whose last event, in a dead worker's hands, is stored again when the lease is over."""

    def __init__(self, clock: Clock, lease_s: float, queue: int | None) -> None:
        self._clock, self._lease_s, self._queue = clock, lease_s, queue

    def counts(self) -> Counts:
        over = self._clock.at >= self._lease_s * SECOND
        return Counts(self._queue if self._queue is None or not over else 0, 2 if over else 1, 0)


def seen(lease_s: float, queue: int | None, patience: Patience) -> tuple[bool, float]:
    """Whether the second row was there at the end of the drain, and how long that took."""
    clock = Clock()
    backlog = Redelivered(clock, lease_s, queue)
    Drain(cast(Backlog, backlog), lambda: {"a"}, {"a"}, patience, clock).wait(0, lambda _: None)
    return backlog.counts().stored == 2, clock.at / SECOND


@pytest.mark.parametrize("queue", [None, 0, 1])
def test_drain_waits_for_what_a_dead_worker_held_although_its_budget_is_shorter(queue: int | None) -> None:
    doubled, _ = seen(62, queue, Patience.of(30, 62, faults=True))
    assert doubled


def test_without_faults_a_short_quiet_is_enough() -> None:
    _, took_s = seen(62, 0, Patience.of(30, 62, faults=False))
    assert took_s == pytest.approx(QUIET_S, abs=0.5)


def test_drain_does_not_wait_for_a_lease_without_reason_and_says_so() -> None:
    patience = Patience.of(30, LONGEST_LEASE_S + 1, faults=True)
    assert patience.too_short
    assert seen(3_600, 1, patience)[1] == pytest.approx(30, abs=0.5)


class Lossy(Redelivered):
    """A backlog whose missing event never comes: the queue is empty, or not."""

    def counts(self) -> Counts:
        return Counts(self._queue, 1, 0)


@pytest.mark.parametrize(
    ("queue", "lease_s", "took_s", "quiet"),
    [(0, 10, 15, True), (1, 10, 30, False), (None, 10, 30, False), (0, LONGEST_LEASE_S + 1, 30, False)],
    ids=["empty queue", "queue holds something", "queue unknown", "lease beyond the drain"],
)
def test_drain_gives_missing_events_up_only_when_nothing_can_come(
    queue: int | None, lease_s: float, took_s: float, quiet: bool
) -> None:
    clock = Clock()
    drain = Drain(
        cast(Backlog, Lossy(clock, 0, queue)), lambda: {"a"}, {"a", "b"}, Patience.of(30, lease_s, True), clock
    )
    drained = drain.wait(0, lambda _: None)
    assert (drained.complete, drained.quiet, drained.missing) == (False, quiet, 1)
    assert clock.at / SECOND == pytest.approx(took_s, abs=0.5)


def test_drain_reads_the_ids_once_while_nothing_changes() -> None:
    clock, reads = Clock(), list[int]()

    def stored() -> set[str]:
        reads.append(clock.at)
        return {"a"}

    Drain(cast(Backlog, Lossy(clock, 0, 0)), stored, {"a", "b"}, Patience.of(30, 10, True), clock).wait(
        0, lambda _: None
    )
    assert len(reads) == 2, "once to see what is missing, once before it is given up"


@pytest.mark.parametrize(("well_at_s", "took_s"), [(0, QUIET_S), (40, 40), (90, 72)], ids=["well", "late", "never"])
def test_drain_watches_a_target_that_has_not_recovered_until_its_recovery_is_due(well_at_s: int, took_s: float) -> None:
    clock = Clock()
    backlog, patience = Redelivered(clock, 0, 0), Patience(30, 0, QUIET_S, recovery_s=72)
    drain = Drain(cast(Backlog, backlog), lambda: {"a"}, {"a"}, patience, clock, lambda: clock.at >= well_at_s * SECOND)
    assert drain.wait(0, lambda _: None).complete
    assert clock.at / SECOND == pytest.approx(took_s, abs=0.5)
