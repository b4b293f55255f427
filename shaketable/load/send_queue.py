"""The send queue: the due times of all attempts. Pure: times and responses are arguments.

Events are due at their intended times regardless of earlier responses, so the load is open-loop. A response has two
effects: a retry after a temporary refusal or an indeterminate outcome, and the release of the next event of an ordered
organization, which waits until the previous one is settled.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from shaketable.clock import MS, SECOND
from shaketable.load.outcome import Classification, wait
from shaketable.load.retry_budget import RetryBudget
from shaketable.load.schedule import Planned
from shaketable.op import Outcome

#: Seconds after its first attempt in which an event is retried.
RESEND_FOR_S = 60.0
#: Delay between acknowledgement and resend of the kinds in `SOON`, in nanoseconds; the least for `later`.
AFTER_ACK = 2 * SECOND
#: The longest delay of `later` in an endless load, in nanoseconds; otherwise the load's end.
LATER = 60 * SECOND
#: Resends after `AFTER_ACK`: the same body, the same id in other letter case, other contents under the same id.
SOON = frozenset({"after_ack", "other_case", "changed"})
#: Resends of an acknowledged event; their responses have no effect.
LATE = SOON | {"later", "drain"}
#: All deliberate resends.
DELIBERATE = LATE | {"at_once"}
#: The gap between two resends in drain, and the longest duration of all of them, in nanoseconds.
DRAIN_GAP, DRAIN_WHOLE = 20 * MS, 2 * SECOND


@dataclass(slots=True, eq=False)
class PendingEvent:
    """An event that is due or in flight: the state on which its next attempt depends."""

    planned: Planned
    began: int | None = None  # time of its first attempt
    tries: int = 0
    open: int = 0  # attempts that are due or in flight, except LATE ones
    alone: bool = False  # its batch was too large, so it shares no further request
    settled: bool = False  # acknowledged, definitely refused, or given up


@dataclass(slots=True, eq=False)
class Attempt:
    """One request to send. Times are monotonic nanoseconds."""

    pending: PendingEvent
    number: int  # unique within the queue
    intended: int  # intended time of the event's first attempt
    due: int
    resend: str = ""  # "": the first; retry, at_once, or one of LATE
    deferred: bool = False  # it was due before the retry budget allowed it

    @property
    def planned(self) -> Planned:
        """The event."""
        return self.pending.planned


@dataclass(slots=True)
class SendQueue:
    """The attempts for `plan`, whose times count from `start`."""

    plan: Iterable[Planned]
    start: int
    resend_for_s: float = RESEND_FOR_S
    seed: int = 0
    batched: bool = False  # events that are due together share a request: so do an event and its resend at once
    #: Whether the target has drained: until then, resends of the kind `drain` wait.
    drained: Callable[[], bool] = lambda: True
    #: Events that were held back too long to be sent; the dispatcher removes them.
    unsent: list[Planned] = field(default_factory=list)
    #: Events given up while they waited for the retry budget; the dispatcher removes them.
    given_up: list[PendingEvent] = field(default_factory=list)
    _heap: list[tuple[int, int, Attempt]] = field(default_factory=list)
    _held: dict[str, deque[Planned]] = field(
        default_factory=dict
    )  # waiting events by organization; the key exists while one is in flight
    _drain: list[PendingEvent] = field(default_factory=list)
    _deferred: deque[Attempt] = field(default_factory=deque)  # retries that wait for the retry budget
    _in_flight: int = 0

    def __post_init__(self) -> None:
        self._events: Iterator[Planned] = iter(self.plan)
        self._next = next(self._events, None)
        self._rng = random.Random(self.seed)
        self._numbers = count(1)
        self._budget = RetryBudget(self.start)

    _events: Iterator[Planned] = field(init=False)
    _next: Planned | None = field(init=False)
    _rng: random.Random = field(init=False)
    _numbers: count[int] = field(init=False)
    _budget: RetryBudget = field(init=False)

    def due(self, now: int) -> list[Attempt]:
        """Return the due attempts; the caller must report the response of each."""
        while self._next is not None and self.start + self._next.at <= now:
            self._admit(self._next)
            self._next = next(self._events, None)
        if self._drain and self._idle() and self.drained():
            self._begin_drain(now)
        ready: list[Attempt] = []
        while self._heap and self._heap[0][0] <= now:
            attempt = heapq.heappop(self._heap)[2]
            (self._deferred if attempt.resend == "retry" else ready).append(attempt)
        ready += self._affordable(now)
        self._in_flight += len(ready)
        return ready

    def next_at(self) -> int | None:
        """The next due time; None while only a response can add attempts."""
        times = [self._heap[0][0]] if self._heap else []
        if self._next is not None:
            times.append(self.start + self._next.at)
        return min(times, default=None)

    def finished(self) -> bool:
        """Whether all events are sent and answered."""
        return self._idle() and not self._drain

    def began(self, attempt: Attempt, now: int) -> None:
        """Record that the attempt is being sent."""
        pending = attempt.pending
        if pending.began is None:
            pending.began = now
            self._budget.first()
            if attempt.planned.resend == "at_once" and not self.batched:
                self._push(pending, now, "at_once")
        pending.tries += 1

    def answered(self, attempt: Attempt, answer: Classification, now: int, advised_s: float = 0.0) -> bool:
        """Record a response and its Retry-After; True when the event is given up."""
        pending = attempt.pending
        self._in_flight -= 1
        if attempt.resend in LATE:
            return False
        pending.open -= 1
        if answer.outcome is Outcome.ACKNOWLEDGED:
            self._acknowledged(pending, now)
        elif not answer.retryable:
            pending.settled = True
        if not answer.retryable:
            self._budget.settled()
        given_up = self._follow_up(pending, now, advised_s)
        if pending.settled and not pending.open:
            self._release(pending.planned, now)
        return given_up

    def abandon(self) -> list[Planned]:
        """Drop everything that is not in flight, and return the events that were never sent."""
        due = [attempt.planned for _, _, attempt in self._heap if not attempt.resend]
        held = [planned for queue in self._held.values() for planned in queue]
        for kept in (self._heap, self._deferred, self._held, self._drain):
            kept.clear()
        rest = [self._next, *self._events] if self._next and isinstance(self.plan, Sequence) else []
        self._next = None
        return sorted([*due, *held, *rest], key=lambda planned: planned.n)

    def _admit(self, planned: Planned) -> None:
        """Add a due event, or hold it behind another one of its ordered organization."""
        if planned.ordered and planned.organization is not None:
            if planned.organization in self._held:
                self._held[planned.organization].append(planned)
                return
            self._held[planned.organization] = deque()
        self._push_first(planned, self.start + planned.at)

    def _push_first(self, planned: Planned, due: int) -> None:
        pending = PendingEvent(planned)
        self._push(pending, due)
        if self.batched and planned.resend == "at_once":
            self._push(pending, due, "at_once")

    def _push(self, pending: PendingEvent, due: int, resend: str = "") -> None:
        attempt = Attempt(pending, next(self._numbers), self.start + pending.planned.at, due, resend)
        pending.open += resend not in LATE
        heapq.heappush(self._heap, (due, attempt.number, attempt))

    def _acknowledged(self, pending: PendingEvent, now: int) -> None:
        if pending.settled:
            return
        pending.settled = True
        kind = pending.planned.resend
        if kind in SOON:
            self._push(pending, now + AFTER_ACK, kind)
        elif kind == "later":
            self._push(pending, now + self._later(now), kind)
        elif kind == "drain":
            self._drain.append(pending)

    def _later(self, now: int) -> int:
        """A delay, spread over the rest of the load."""
        end = self.start + self.plan[-1].at if isinstance(self.plan, Sequence) else now + LATER
        return AFTER_ACK + round(self._rng.random() * max(0, end - now - AFTER_ACK))

    def _affordable(self, now: int) -> list[Attempt]:
        """The retries that the budget allows, in due order; retries past the resend period are given up."""
        ready: list[Attempt] = []
        while self._deferred:
            pending = self._deferred[0].pending
            if pending.began is not None and now - pending.began > self.resend_for_s * SECOND:
                self._deferred.popleft()
                pending.settled, pending.open = True, pending.open - 1
                self.given_up.append(pending)
                self._release(pending.planned, now)
            elif self._budget.take(now):
                ready.append(self._deferred.popleft())
            else:
                break
        for attempt in reversed(self._deferred):
            if attempt.deferred:
                break  # all earlier ones are marked already
            attempt.deferred = True
        return ready

    def _follow_up(self, pending: PendingEvent, now: int, advised_s: float) -> bool:
        """Schedule a retry of an unsettled event without open attempts; True when its resend period is over."""
        if pending.settled or pending.open or pending.began is None:
            return False
        due = now + wait(pending.tries, self._rng, self.resend_for_s, advised_s)
        if due - pending.began > self.resend_for_s * SECOND:
            pending.settled = True
            return True
        self._push(pending, due, "retry")
        return False

    def _release(self, planned: Planned, now: int) -> None:
        """Release the next event of an ordered organization; events that waited past the resend period are unsent."""
        held = self._held.get(planned.organization or "")
        if not planned.ordered or held is None:
            return
        while held:
            following = held.popleft()
            if now - self.start - following.at <= self.resend_for_s * SECOND:
                self._push_first(following, now)
                return
            self.unsent.append(following)
        del self._held[planned.organization or ""]

    def _idle(self) -> bool:
        return not (self._heap or self._deferred or self._in_flight or self._next or any(self._held.values()))

    def _begin_drain(self, now: int) -> None:
        gap = min(DRAIN_GAP, DRAIN_WHOLE // len(self._drain))
        for i, pending in enumerate(self._drain):
            self._push(pending, now + i * gap, "drain")
        self._drain.clear()
