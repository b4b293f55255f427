"""The agenda: which attempt is due when. Pure: it is told the time and every answer, and asks for neither.

The plan's events come due at their intended times, whatever became of earlier ones, so the load stays open-loop. Two
things follow from answers: another try of what was refused for now or is indeterminate, and the next event of an
ordered organization, held back until the one before it is settled.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from shaketable.clock import MS, SECOND
from shaketable.load.outcome import Classification, wait
from shaketable.load.retry_budget import RetryBudget
from shaketable.load.schedule import Planned
from shaketable.op import Outcome

#: How long after its first attempt an event is still tried again, in seconds.
RESEND_FOR_S = 60.0
#: How long after its acknowledgement an event of the kind `after_ack` is sent once more, in nanoseconds.
AFTER_ACK = 2 * SECOND
#: Resends of an event already acknowledged: whatever is answered, nothing follows from it.
LATE = frozenset({"after_ack", "drain"})
#: All resends on purpose.
DELIBERATE = LATE | {"at_once"}
#: The gap between two resends in drain, in nanoseconds, unless there are so many that all would take longer than this.
DRAIN_GAP, DRAIN_WHOLE = 20 * MS, 2 * SECOND


@dataclass(slots=True, eq=False)
class PendingEvent:
    """One event on its way: what its next attempt depends on."""

    planned: Planned
    began: int | None = None  # when its first attempt was sent
    tries: int = 0
    open: int = 0  # attempts that are due or in flight, but for the LATE ones
    settled: bool = False  # acknowledged, refused for good, or given up


@dataclass(slots=True, eq=False)
class Attempt:
    """One request to send. Times are monotonic nanoseconds."""

    pending: PendingEvent
    number: int  # unique within the agenda
    intended: int  # of its event's first attempt
    due: int
    resend: str = ""  # "": the first; retry, at_once, after_ack, drain
    deferred: bool = False  # it came due before the budget for retries allowed it

    @property
    def planned(self) -> Planned:
        """The event."""
        return self.pending.planned


@dataclass(slots=True)
class SendQueue:
    """Plays `plan`, whose times count from `start`."""

    plan: Iterable[Planned]
    start: int
    resend_for_s: float = RESEND_FOR_S
    seed: int = 0
    #: Events held back so long that they are not sent any more; whoever plays the agenda takes them out.
    unsent: list[Planned] = field(default_factory=list)
    #: Events given up while they waited for the budget for retries; whoever plays the agenda takes them out.
    given_up: list[PendingEvent] = field(default_factory=list)
    _heap: list[tuple[int, int, Attempt]] = field(default_factory=list)
    _held: dict[str, deque[Planned]] = field(default_factory=dict)  # by organization: a key while one is on its way
    _drain: list[PendingEvent] = field(default_factory=list)
    _deferred: deque[Attempt] = field(default_factory=deque)  # retries that wait for the budget
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
        """The attempts to send by now; each must be answered."""
        while self._next is not None and self.start + self._next.at <= now:
            self._admit(self._next)
            self._next = next(self._events, None)
        if self._drain and self._idle():
            self._begin_drain(now)
        ready: list[Attempt] = []
        while self._heap and self._heap[0][0] <= now:
            attempt = heapq.heappop(self._heap)[2]
            (self._deferred if attempt.resend == "retry" else ready).append(attempt)
        ready += self._affordable(now)
        self._in_flight += len(ready)
        return ready

    def next_at(self) -> int | None:
        """When something is due next; None while only an answer can bring more."""
        times = [self._heap[0][0]] if self._heap else []
        if self._next is not None:
            times.append(self.start + self._next.at)
        return min(times, default=None)

    def finished(self) -> bool:
        """Whether all is sent and answered."""
        return self._idle() and not self._drain

    def began(self, attempt: Attempt, now: int) -> None:
        """The attempt is being sent."""
        pending = attempt.pending
        if pending.began is None:
            pending.began = now
            self._budget.first()
            if attempt.planned.resend == "at_once":
                self._push(pending, now, "at_once")
        pending.tries += 1

    def answered(self, attempt: Attempt, answer: Classification, now: int, advised_s: float = 0.0) -> bool:
        """Take an answer in, with the wait that it advises; True when its event is given up by it."""
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
        """Stop: forget all that is not in flight, and return the events that came due and were never sent."""
        due = [attempt.planned for _, _, attempt in self._heap if not attempt.resend]
        held = [planned for queue in self._held.values() for planned in queue]
        for kept in (self._heap, self._deferred, self._held, self._drain):
            kept.clear()
        rest = [self._next, *self._events] if self._next and isinstance(self.plan, Sequence) else []
        self._next = None
        return sorted([*due, *held, *rest], key=lambda planned: planned.n)

    def _admit(self, planned: Planned) -> None:
        """An event's intended time has come: it is due, or held behind another of its ordered organization."""
        if planned.ordered and planned.organization is not None:
            if planned.organization in self._held:
                self._held[planned.organization].append(planned)
                return
            self._held[planned.organization] = deque()
        self._push(PendingEvent(planned), self.start + planned.at)

    def _push(self, pending: PendingEvent, due: int, resend: str = "") -> None:
        attempt = Attempt(pending, next(self._numbers), self.start + pending.planned.at, due, resend)
        pending.open += resend not in LATE
        heapq.heappush(self._heap, (due, attempt.number, attempt))

    def _acknowledged(self, pending: PendingEvent, now: int) -> None:
        if pending.settled:
            return
        pending.settled = True
        if pending.planned.resend == "after_ack":
            self._push(pending, now + AFTER_ACK, "after_ack")
        elif pending.planned.resend == "drain":
            self._drain.append(pending)

    def _affordable(self, now: int) -> list[Attempt]:
        """The retries that the budget allows, in the order in which they came due; those too late are given up."""
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
                break  # and so are all before it
            attempt.deferred = True
        return ready

    def _follow_up(self, pending: PendingEvent, now: int, advised_s: float) -> bool:
        """Try an unsettled event again, unless another attempt of it is on its way; True when its time is up."""
        if pending.settled or pending.open or pending.began is None:
            return False
        due = now + wait(pending.tries, self._rng, self.resend_for_s, advised_s)
        if due - pending.began > self.resend_for_s * SECOND:
            pending.settled = True
            return True
        self._push(pending, due, "retry")
        return False

    def _release(self, planned: Planned, now: int) -> None:
        """Send the next event of an ordered organization; what waited past the resend budget is unsent."""
        held = self._held.get(planned.organization or "")
        if not planned.ordered or held is None:
            return
        while held:
            following = held.popleft()
            if now - self.start - following.at <= self.resend_for_s * SECOND:
                self._push(PendingEvent(following), now)
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
