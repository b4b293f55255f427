"""The breaker's wrapper: thresholds, one trial, results of older generations, cancellation."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from reference_impl.breaker import CLOSED, HALF_OPEN, OPEN, Breaker, Ticket
from reference_impl.errors import BreakerOpenError
from reference_impl.settings import Settings


class Bench:
    """A breaker with a clock by hand and its transitions written down."""

    def __init__(self, **settings: float) -> None:
        self.now = 0.0
        self.seen: list[tuple[str | None, str]] = []
        self.breaker = Breaker(
            Settings(**settings),  # type: ignore[arg-type]
            lambda before, after, _: self.seen.append((before, after)),
            lambda: self.now,
        )

    def fail(self, times: int) -> None:
        for _ in range(times):
            self.breaker.failed(self.breaker.admit(), "08006")

    def succeed(self, times: int) -> None:
        for _ in range(times):
            self.breaker.succeeded(self.breaker.admit())


def test_the_first_transition_is_from_nothing_to_closed() -> None:
    assert Bench().seen == [(None, CLOSED)]


def test_it_opens_at_the_threshold_and_not_before() -> None:
    bench = Bench()
    bench.fail(4)
    assert bench.breaker.state == CLOSED
    bench.fail(1)
    assert bench.breaker.state == OPEN
    with pytest.raises(BreakerOpenError):
        bench.breaker.admit()


def test_a_success_begins_the_count_anew() -> None:
    bench = Bench()
    bench.fail(4)
    bench.succeed(1)
    bench.fail(4)
    assert bench.breaker.state == CLOSED


def test_it_opens_when_more_than_half_of_ten_rounds_failed() -> None:
    bench = Bench()
    for _ in range(4):
        bench.fail(1)
        bench.succeed(1)
    bench.fail(1)
    assert bench.breaker.state == CLOSED  # 5 of 9
    bench.fail(1)
    assert bench.breaker.state == OPEN  # 6 of 10


def test_rounds_leave_the_window() -> None:
    bench = Bench()
    for _ in range(4):
        bench.fail(1)
        bench.succeed(1)
    bench.now = 61
    bench.fail(2)
    assert bench.breaker.rounds() == (2, 2)
    assert bench.breaker.state == CLOSED


def test_one_trial_at_a_time() -> None:
    bench = Bench()
    bench.fail(5)
    bench.breaker.half_open()
    trial = bench.breaker.admit()
    with pytest.raises(BreakerOpenError):
        bench.breaker.admit()
    bench.breaker.succeeded(trial)
    assert bench.breaker.state == CLOSED
    assert bench.seen == [(None, CLOSED), (CLOSED, OPEN), (OPEN, HALF_OPEN), (HALF_OPEN, CLOSED)]


def test_a_failed_trial_opens_it_again() -> None:
    bench = Bench()
    bench.fail(5)
    bench.breaker.half_open()
    bench.fail(1)
    assert bench.breaker.state == OPEN


def test_an_abandoned_trial_neither_opens_nor_closes_and_may_be_repeated() -> None:
    bench = Bench()
    bench.fail(5)
    bench.breaker.half_open()
    bench.breaker.abandoned(bench.breaker.admit())
    assert bench.breaker.state == HALF_OPEN
    bench.succeed(1)
    assert bench.breaker.state == CLOSED


def test_results_of_rounds_begun_before_the_trip_are_dropped() -> None:
    bench = Bench()
    stale = [bench.breaker.admit() for _ in range(3)]
    bench.fail(5)
    bench.breaker.failed(stale[0], "late")
    bench.breaker.half_open()
    bench.breaker.failed(stale[1], "late")
    bench.breaker.succeeded(stale[2])
    assert bench.breaker.state == HALF_OPEN
    assert bench.seen[1:] == [(CLOSED, OPEN), (OPEN, HALF_OPEN)]


def test_an_outage_that_is_over_does_not_open_it_again() -> None:
    bench = Bench(breaker_minimum_rounds=2)
    bench.succeed(10)
    bench.fail(5)
    bench.breaker.half_open()
    bench.succeed(2)
    bench.fail(1)
    assert bench.breaker.state == CLOSED


LEGAL = {(None, CLOSED), (CLOSED, OPEN), (OPEN, HALF_OPEN), (HALF_OPEN, OPEN), (HALF_OPEN, CLOSED)}


class BreakerMachine(RuleBasedStateMachine):
    """Whatever happens in whatever order: transitions are legal, and open means closed to all."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench(breaker_failure_threshold=3)
        self.tickets: list[Ticket] = []

    @rule()
    def admit(self) -> None:
        try:
            self.tickets.append(self.bench.breaker.admit())
        except BreakerOpenError:
            assert self.bench.breaker.state != CLOSED

    @rule(data=st.data(), result=st.sampled_from(["succeeded", "failed", "abandoned"]))
    def end(self, data: st.DataObject, result: str) -> None:
        if self.tickets:
            ticket = self.tickets.pop(data.draw(st.integers(0, len(self.tickets) - 1)))
            getattr(self.bench.breaker, result)(ticket, *(["x"] if result == "failed" else []))

    @rule()
    def recovery_time_is_over(self) -> None:
        self.bench.breaker.half_open()

    @rule(seconds=st.floats(0, 100))
    def time_passes(self, seconds: float) -> None:
        self.bench.now += seconds

    @invariant()
    def transitions_are_legal_and_chained(self) -> None:
        seen = self.bench.seen
        assert set(seen) <= LEGAL
        assert all(a[1] == b[0] for a, b in pairwise(seen))
        assert self.bench.breaker.state == seen[-1][1]


TestBreakerMachine = BreakerMachine.TestCase
TestBreakerMachine.settings = hypothesis_settings(max_examples=50, stateful_step_count=30, deadline=None)
