"""The breaker's wrapper: thresholds, one trial, results of older generations, cancellation."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import pairwise

import psycopg
import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from reference_impl.errors import BreakerOpenError, StoreError
from reference_impl.resilience.circuit_breaker import CLOSED, HALF_OPEN, OPEN, Breaker, Kind, Permit
from reference_impl.settings import Settings


class Bench:
    """A breaker with a clock by hand and its transitions written down."""

    def __init__(self, **settings: float) -> None:
        self.now = 0.0
        self.seen: list[tuple[str | None, str]] = []
        self.slept: list[float] = []
        self.breaker = Breaker(
            Settings(**settings),  # type: ignore[arg-type]
            lambda before, after, _: self.seen.append((before, after)),
            self.sleep,
            now=lambda: self.now,
        )

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def attempts(self, *kinds: tuple[Kind, bool]) -> str:
        """Attempts one after another, each with whether the store works; the state after them."""

        async def run() -> None:
            for kind, works in kinds:
                with suppress(StoreError):
                    async with self.breaker.attempt(kind):
                        if not works:
                            raise psycopg.OperationalError("the connection is lost")

        asyncio.run(run())
        return self.breaker.state

    def fail(self, times: int) -> None:
        for _ in range(times):
            self.breaker.failed(self.breaker.acquire_permit(), "08006")

    def succeed(self, times: int) -> None:
        for _ in range(times):
            self.breaker.succeeded(self.breaker.acquire_permit())


def test_the_first_transition_is_from_nothing_to_closed() -> None:
    assert Bench().seen == [(None, CLOSED)]


def test_it_opens_at_the_threshold_and_not_before() -> None:
    bench = Bench()
    bench.fail(4)
    assert bench.breaker.state == CLOSED
    bench.fail(1)
    assert bench.breaker.state == OPEN
    with pytest.raises(BreakerOpenError):
        bench.breaker.acquire_permit()


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
    assert bench.breaker.window() == (2, 2)
    assert bench.breaker.state == CLOSED


def test_one_trial_at_a_time() -> None:
    bench = Bench()
    bench.fail(5)
    bench.breaker.half_open()
    trial = bench.breaker.acquire_permit()
    with pytest.raises(BreakerOpenError):
        bench.breaker.acquire_permit()
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
    bench.breaker.release(bench.breaker.acquire_permit())
    assert bench.breaker.state == HALF_OPEN
    bench.succeed(1)
    assert bench.breaker.state == CLOSED


def test_results_of_rounds_begun_before_the_trip_are_dropped() -> None:
    bench = Bench()
    stale = [bench.breaker.acquire_permit() for _ in range(3)]
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


def test_a_listener_that_fails_keeps_nothing_from_happening() -> None:
    bench, told = Bench(), list[str]()

    def broken(before: str | None, after: str, reason: str) -> None:
        raise RuntimeError("secret")

    bench.breaker.listeners += [broken, lambda _, after, why: told.append(f"{after}: {why}")]
    bench.fail(5)
    assert bench.breaker.state == OPEN
    assert told == ["OPEN: consecutive failed attempts: 08006"]


LEGAL = {(None, CLOSED), (CLOSED, OPEN), (OPEN, HALF_OPEN), (HALF_OPEN, OPEN), (HALF_OPEN, CLOSED)}
THRESHOLD, MINIMUM, WINDOW_S = 3, 6, 60.0


class Model:
    """The breaker in a few lines: what it must be after any sequence of events."""

    def __init__(self) -> None:
        self.state, self.period = CLOSED, 0  # a period ends with each transition
        self.in_a_row = 0
        self.rounds: list[tuple[float, bool]] = []
        self.trial = False

    def admits(self) -> bool:
        return self.state == CLOSED or (self.state == HALF_OPEN and not self.trial)

    def change(self, state: str) -> None:
        self.state, self.period, self.trial, self.in_a_row = state, self.period + 1, False, 0
        if state == CLOSED:
            self.rounds = []

    def window(self, now: float) -> tuple[int, int]:
        held = [ok for at, ok in self.rounds if at >= now - WINDOW_S]
        return len(held), held.count(False)

    def succeeded(self, now: float) -> None:
        self.rounds.append((now, True))
        self.in_a_row = 0
        if self.state == HALF_OPEN:
            self.change(CLOSED)

    def failed(self, now: float) -> None:
        self.rounds.append((now, False))
        self.in_a_row += 1
        rounds, failed = self.window(now)
        if self.state == HALF_OPEN or self.in_a_row == THRESHOLD or (rounds >= MINIMUM and failed > rounds / 2):
            self.change(OPEN)

    def release(self, now: float) -> None:
        self.trial = False


class BreakerMachine(RuleBasedStateMachine):
    """Whatever happens in whatever order, the breaker is where the model is, and its transitions are legal."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench(breaker_failure_threshold=THRESHOLD, breaker_minimum_rounds=MINIMUM)
        self.model = Model()
        self.begun: list[tuple[Permit, int]] = []  # a round, and the model's period it began in

    @rule()
    def begin_a_round(self) -> None:
        admitted = self.model.admits()
        try:
            self.begun.append((self.bench.breaker.acquire_permit(), self.model.period))
        except BreakerOpenError:
            assert not admitted
        else:
            assert admitted
            self.model.trial = self.model.state == HALF_OPEN

    @precondition(lambda self: self.begun)
    @rule(data=st.data(), result=st.sampled_from(["succeeded", "failed", "failed", "release"]))
    def end_a_round(self, data: st.DataObject, result: str) -> None:
        permit, period = self.begun.pop(data.draw(st.integers(0, len(self.begun) - 1)))
        getattr(self.bench.breaker, result)(permit, *(["x"] if result == "failed" else []))
        if period == self.model.period:  # results of earlier periods change nothing
            getattr(self.model, result)(self.bench.now)

    @rule()
    def recovery_time_is_over(self) -> None:
        self.bench.breaker.half_open()
        if self.model.state == OPEN:
            self.model.change(HALF_OPEN)

    @rule(seconds=st.sampled_from([0.5, 20.0, 59.0, 100.0]))
    def time_passes(self, seconds: float) -> None:
        self.bench.now += seconds

    @invariant()
    def it_is_where_the_model_is(self) -> None:
        assert self.bench.breaker.state == self.model.state
        assert self.bench.breaker.window() == self.model.window(self.bench.now)

    @invariant()
    def transitions_are_legal_and_chained(self) -> None:
        seen = self.bench.seen
        assert set(seen) <= LEGAL
        assert all(a[1] == b[0] for a, b in pairwise(seen))
        assert self.bench.breaker.state == seen[-1][1]


TestBreakerMachine = BreakerMachine.TestCase
TestBreakerMachine.settings = hypothesis_settings(max_examples=100, stateful_step_count=50, deadline=None)
