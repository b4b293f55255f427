"""The dispatcher: assigns due attempts to users and writes the load's journal.

The threads are greenlets: Locust has patched `time.sleep` and `queue`, and a switch happens only in those and in a
user's request. One pacer dispatches due attempts; any number of users send them.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Protocol

from shaketable.clock import MS, SECOND, Clock
from shaketable.load.assignment import Assignment, Inbox
from shaketable.load.batch import Batch
from shaketable.load.mix.shape import Expect, Shape
from shaketable.load.outcome import (
    ACCEPTED,
    DEFINITE_REFUSALS,
    NEVER_SENT,
    TOO_LARGE,
    Classification,
    classify,
    contract_broken,
)
from shaketable.load.reply import Reply
from shaketable.load.schedule import Planned, body
from shaketable.load.send_queue import DELIBERATE, RESEND_FOR_S, Attempt, PendingEvent, SendQueue
from shaketable.load.stats import LoadStats
from shaketable.op import Kind, Op, Outcome, Scalar, clock_op

#: Expected responses by the contract, for messages.
ASKED = {Expect.ACCEPT: "accept", Expect.REFUSE: "refuse", Expect.EITHER: "accept or refuse"}
#: Errors that mean that no server listens at the address.
NOBODY = NEVER_SENT | {"gaierror"}
#: Delay between the start of the last user and T0, in nanoseconds.
LEAD = SECOND // 2
#: The pacer's longest sleep in nanoseconds; an attempt that a response makes due waits no longer.
TICK = 5 * MS
#: Interval between clock pairs in the journal, in nanoseconds.
CLOCK_EVERY = 10 * SECOND


class Writes(Protocol):
    """Writes ops, one at a time."""

    def write(self, op: Op) -> None: ...


class NoJournal:
    """Discards all ops: for a load outside a run."""

    def write(self, op: Op) -> None:
        """Discard the op."""


class Dispatcher:
    """Sends the events of `plan`, whose contents are the shapes of `corpus`."""

    def __init__(
        self,
        plan: Iterable[Planned],
        corpus: Sequence[Shape],
        journal: Writes,
        clock: Clock,
        *,
        process: str = "load-0",
        resend_for_s: float = RESEND_FOR_S,
        definite_refusals: Collection[int] = DEFINITE_REFUSALS,
        accepted: Collection[int] = ACCEPTED,
        batch: Batch | None = None,
        drained: Callable[[], bool] = lambda: True,
    ) -> None:
        self.stats, self._batch, self._drained, self._resend_for_s = LoadStats(), batch, drained, resend_for_s
        self._plan, self._journal, self._clock, self._process = plan, journal, clock, process
        self._shapes = {shape.number: shape for shape in corpus}
        self._refusals, self._accepted = frozenset(definite_refusals), frozenset(accepted)
        self._idle: list[Inbox] = []  # of free users; the most recently used comes first
        self._waiting: deque[Assignment] = deque()  # attempts that wait for a free user
        self._send_queue = SendQueue((), 0)
        self._next_clock, self._stopped, self._done = 0, False, False
        self.broken = ""  # the reason why the target cannot be loaded at all
        self.nobody_listens = True  # no attempt has reached a server so far
        journal.write(clock_op(process))

    @property
    def ended(self) -> bool:
        """Whether dispatching has ended."""
        return self._stopped or self._done

    def play(self, users: int, start: int | None = None) -> None:
        """Dispatch the whole plan from `start` (T0, in monotonic ns) on, then release the users.

        Call it once all users have started; without a start, T0 is LEAD later.
        """
        gc.collect()
        gc.freeze()  # schedule and corpus live until the end: exclude them from garbage collection
        start = self._clock.now() + LEAD if start is None else start
        batched = self._batch is not None
        self._send_queue = SendQueue(self._plan, start, self._resend_for_s, batched=batched, drained=self._drained)
        self._op(Kind.READY, self._clock.now(), users=users)
        self._op(Kind.START, start)
        while not self._stopped and not self._send_queue.finished():
            self._clock.sleep(self._pace(self._clock.now()) / SECOND)
        self.finish()

    def _pace(self, now: int) -> int:
        """Dispatch due attempts; return the nanoseconds until the next attempt is due."""
        self._mark_clocks(now)
        for first, *others in self._requests(self._send_queue.due(now)):
            self.stats.scheduled += sum(not attempt.resend for attempt in (first, *others))
            queued = not self._idle
            beside = tuple(Assignment(attempt, now, queued) for attempt in others)
            self._hand_out(Assignment(first, now, queued, beside))
        self._write_unsent()
        following = self._send_queue.next_at()
        return TICK if following is None else max(0, min(following - self._clock.now(), TICK))

    def _requests(self, due: list[Attempt]) -> list[list[Attempt]]:
        """The due attempts by request: in a batch those that may share one, all others alone."""
        if (batch := self._batch) is None:
            return [[attempt] for attempt in due]
        together: list[Attempt] = []
        alone: list[Attempt] = []
        for attempt in due:
            shared = batch.takes(attempt.planned.expect) and not attempt.pending.alone
            (together if shared else alone).append(attempt)
        sizes = [len(self._body(attempt)) for attempt in together]
        return [together[part] for part in batch.cut(sizes)] + [[attempt] for attempt in alone]

    def _body(self, attempt: Attempt) -> bytes:
        planned, shape = attempt.planned, attempt.planned.shape
        if attempt.resend == "changed" and planned.changed is not None:
            shape = planned.changed
        return body(planned, self._shapes[shape], attempt.resend == "other_case")

    def _hand_out(self, assignment: Assignment) -> None:
        """Assign it to the most recently busy user, which uses few connections and leaves none idle for long."""
        if self._idle:
            self._idle.pop().put(assignment)
        else:
            self._waiting.append(assignment)

    def take(self, inbox: Inbox) -> Assignment | None:
        """Wait in the user's inbox for the next attempt; None at the end of the load."""
        if self._waiting:
            return self._waiting.popleft()
        if self._stopped or self._done:
            return None
        self._idle.append(inbox)
        return inbox.get()

    def begin(self, assignment: Assignment) -> bytes:
        """Write the intent and return the request's body."""
        attempt, planned = assignment.attempt, assignment.planned
        sent = self._body(attempt)
        assignment.invoked = now = self._clock.now()
        detail: dict[str, Scalar] = {"due": attempt.intended, "emitted": assignment.emitted, "n": planned.n}
        if attempt.resend:
            detail["resend"] = attempt.resend
        elif attempt.due > attempt.intended:
            detail["held"] = attempt.due - attempt.intended
        if assignment.queued:
            detail["queued"] = True
        if attempt.deferred:
            detail["deferred"] = True
            self.stats.deferred += 1
        self._journal.write(Op(self._process, Kind.INTENT, now, None, None, planned.event_id, attempt.number, detail))
        self._send_queue.began(attempt, now)
        self.stats.began(
            attempt.resend, (assignment.emitted if assignment.queued else now) - attempt.due, assignment.queued
        )
        return sent

    def end(self, assignment: Assignment, reply: Reply) -> Classification:
        """Write the attempt's outcome: from its status, or from the name of the error.

        A success status other than the contract's ends the load: every further attempt would have the same result.
        """
        now, attempt, planned = self._clock.now(), assignment.attempt, assignment.planned
        accepted = reply.accepted or self._accepted
        answered = classify(reply.status, reply.error, self._refusals, accepted)
        attempt.pending.alone |= reply.error == TOO_LARGE
        self.stats.outcomes[answered.outcome] += 1
        assignment.took_ms = (now - assignment.invoked) / MS
        if answered.outcome is Outcome.ACKNOWLEDGED and attempt.resend not in DELIBERATE:
            assignment.latency_ms = (now - attempt.intended) / MS
        detail: dict[str, Scalar] = {"status": reply.status, "n": planned.n}
        detail |= {name: told for name, told in (("error", reply.error), ("at", reply.at)) if told}
        if attempt.resend:
            detail["resend"] = attempt.resend
        if reply.advised_s > 0:
            detail["retry_after"] = reply.advised_s
        self._journal.write(
            Op(
                self._process,
                Kind.SEND,
                assignment.invoked,
                now,
                answered.outcome,
                planned.event_id,
                attempt.number,
                detail,
            )
        )
        if self._send_queue.answered(attempt, answered, now, reply.advised_s):
            self._give_up(attempt.pending, now)
        self.nobody_listens = self.nobody_listens and reply.error in NOBODY
        proven = self.stats.outcomes[Outcome.ACKNOWLEDGED] > 0
        if not self.broken and (
            why := reply.fatal or contract_broken(reply.status, self._refusals, accepted, proven=proven)
        ):
            self.broken = why
            self.stop()
        return answered

    def _give_up(self, pending: PendingEvent, now: int, **more: Scalar) -> None:
        self.stats.given_up += 1
        self._op(Kind.GIVE_UP, now, pending.planned, tries=pending.tries, **more)

    def leave(self, inbox: Inbox) -> None:
        """Remove a user, which may have been killed, and reassign the attempt in its inbox."""
        if inbox in self._idle:
            self._idle.remove(inbox)
        while not inbox.empty():
            assignment = inbox.get_nowait()
            if assignment is not None and not self._stopped:
                self._hand_out(assignment)
            elif assignment is not None:
                self._never_sent([assignment])

    def stop(self) -> None:
        """End early: stop dispatching, record the events that were never sent, and release free users."""
        if self._stopped or self._done:
            return
        self._stopped = True
        self._never_sent(self._waiting)
        self._waiting.clear()
        self._unsent(self._send_queue.abandon(), "stopped")
        self._send_home()

    def _never_sent(self, assignments: Iterable[Assignment]) -> None:
        """Record the events of attempts that no user sent."""
        firsts = [each.planned for one in assignments for each in one.all if not each.attempt.resend]
        self.stats.scheduled -= len(firsts)
        self._unsent(firsts, "stopped")

    def finish(self) -> None:
        """Write the final counts, once."""
        if self._done:
            return
        self._done = True
        self._write_unsent()
        broken: dict[str, Scalar] = {"broken": self.broken} if self.broken else {}
        self._op(Kind.DONE, self._clock.now(), None, **self.stats.counts(), **broken)
        self._journal.write(clock_op(self._process))
        self._send_home()

    def _send_home(self) -> None:
        while self._idle:
            self._idle.pop().put(None)

    def _write_unsent(self) -> None:
        if self._send_queue.unsent:
            self._unsent(self._send_queue.unsent, "held back longer than it may be resent")
            self._send_queue.unsent.clear()
        for pending in self._send_queue.given_up:
            self._give_up(pending, self._clock.now(), deferred=True)
        self._send_queue.given_up.clear()

    def _unsent(self, events: Iterable[Planned], why: str) -> None:
        for planned in events:
            self.stats.unsent += 1
            self.stats.scheduled += 1
            self._op(Kind.UNSENT, self._clock.now(), planned, why=why)

    def _mark_clocks(self, now: int) -> None:
        if now >= self._next_clock:
            self._journal.write(clock_op(self._process))
            self._next_clock = now + CLOCK_EVERY

    def _op(self, kind: Kind, at: int, planned: Planned | None = None, **detail: Scalar) -> None:
        if planned is not None:
            detail["n"] = planned.n
        self._journal.write(Op(self._process, kind, at, event_id=planned.event_id if planned else None, detail=detail))


class UnexpectedAnswer(Exception):
    """The target did not answer, or its response violates the contract."""


def contract_violation(planned: Planned, answered: Classification, reply: Reply) -> str:
    """Describe an error, or how a response violates the contract; "" for an allowed response."""
    if reply.error:
        return f"{reply.error}{f' ({reply.at})' if reply.at else ''}"
    taken = answered.outcome is Outcome.ACKNOWLEDGED
    refused = answered.outcome is Outcome.REFUSED and not answered.retryable
    allowed = (taken and planned.expect is not Expect.REFUSE) or (refused and planned.expect is not Expect.ACCEPT)
    return "" if allowed else f"{reply.status or answered.outcome} for an event to {ASKED[planned.expect]}"
