"""The injector plays a timeline on a monotonic clock: each fault in a thread of its own.

So a healing that takes long, as of a server that starts again, does not delay the next fault. Two orders hold
nevertheless: a fault begins after those before it on the same thing are healed, and of those that end at one time,
frozen processes are woken first. A thread takes the witness of its fault at once, then each second, and before healing
if none has landed. Errors are stored and raised in the main thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from shaketable.clock import SECOND, Clock, SystemClock
from shaketable.errors import HarnessError
from shaketable.faults.fault import Fault, FaultContext, Witness
from shaketable.faults.kinds.crash import Crash
from shaketable.faults.kinds.links import LinkFault
from shaketable.faults.kinds.out_of_memory import OutOfMemory
from shaketable.faults.kinds.processes import ProcessFault
from shaketable.faults.kinds.restart import Restart
from shaketable.faults.timeline import Timeline
from shaketable.op import Kind, Op, Scalar

#: Seconds between two looks at an active fault.
WITNESS_S = 1.0
#: Seconds that one injection, look or healing may take: a server that restarts, several proxies that have wedged.
ACTION_S = 60.0
#: Seconds between two looks at whether the injector was stopped while a fault waits for another's healing.
LOOK_S = 0.05


class Injector:
    """Plays `timeline` on `context` from `began`; every op goes to `record`. On leaving the `with`, all is healed."""

    def __init__(
        self,
        timeline: Timeline,
        context: FaultContext,
        record: Callable[[Op], None],
        clock: Clock | None = None,
        action_s: float = ACTION_S,
    ) -> None:
        self._timeline, self._context, self._record, self._action_s = timeline, context, record, action_s
        self._clock = clock or SystemClock()
        self._active: set[int] = set()
        self._unseen: set[int] = set()  # injected, and no witness has seen it yet
        self._over = [threading.Event() for _ in timeline]  # healed, or never to be injected any more
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self.error: BaseException | None = None

    def start(self, began: int) -> None:
        """Begin the shake; `began` is its zero, in monotonic ns."""
        things = [set(entry.fault.targets(self._context)) for entry in self._timeline]
        for number, entry in enumerate(self._timeline):
            name = f"injector: {entry.fault.label}"
            thread = threading.Thread(target=self._play, args=(number, began, things), name=name, daemon=True)
            self._threads.append(thread)
        for thread in self._threads:
            thread.start()

    def active(self) -> list[str]:
        """The labels of the faults that are in effect."""
        return [self._timeline[number].fault.label for number in sorted(self._active)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.heal_all(witnessed=error is None)

    def heal_all(self, witnessed: bool = True) -> None:
        """Stop playing and heal every active fault, even if one fails. Raises a thread's error, or a healing's.

        A healing that failed is tried once more: a server that another fault had ended is back by then. `witnessed`
        False skips the last witness of faults that have not landed yet, which may take long.
        """
        self._stop.set()
        deadline = self._clock.now() + int(self._action_s * SECOND)
        for thread in self._threads:
            thread.join(max(0.0, (deadline - self._clock.now()) / SECOND))
        hung = {number for number, thread in enumerate(self._threads) if thread.is_alive()}
        if hung:
            labels = ", ".join(self._timeline[number].fault.label for number in sorted(hung))
            self.error = HarnessError(f"a fault does not come back within {self._action_s:g} s: {labels}")
        for _ in range(2):
            self._heal_but(hung, witnessed)
        self.raise_error()

    def _heal_but(self, hung: set[int], witnessed: bool) -> None:
        """Heal all active faults, frozen processes first, except those whose threads hang."""
        left = self._active - hung
        for number in sorted(left, key=lambda number: (not self._timeline[number].fault.freezes, number)):
            try:
                self._heal(number, witnessed)
            except Exception as e:  # the others must be healed nevertheless
                self.error = self.error or e

    def raise_error(self) -> None:
        """Raise the first error of a thread, once."""
        if self.error is not None:
            error, self.error = self.error, None
            raise error

    def _play(self, number: int, began: int, things: list[set[str]]) -> None:
        """The life of one fault, in its thread."""
        entry = self._timeline[number]
        try:
            if self._waits_until(began + int(entry.at_s * SECOND)) and self._waits_for(self._before(number, things)):
                self._inject(number)
                self._watch(number, began + int(entry.until_s * SECOND))
                if self._waits_for(self._woken_before(number)):
                    self._heal(number)
        except BaseException as e:  # reaches the main thread through `error`
            self.error = self.error or e
        finally:
            self._over[number].set()

    def _before(self, number: int, things: list[set[str]]) -> Iterable[int]:
        """The faults that must be healed before this one is injected: those due at once, or earlier on its things."""
        at_s = self._timeline[number].at_s
        for other, entry in enumerate(self._timeline):
            if entry.until_s == at_s or (entry.until_s < at_s and things[other] & things[number]):
                yield other

    def _woken_before(self, number: int) -> Iterable[int]:
        """The frozen processes that go on before this fault is healed."""
        this = self._timeline[number]
        for other, entry in enumerate(self._timeline):
            if entry.fault.freezes and not this.fault.freezes and entry.until_s <= this.until_s:
                yield other

    def _waits_until(self, at: int) -> bool:
        """Wait for a time in monotonic ns; returns whether to go on."""
        return not self._stop.wait(max(0.0, (at - self._clock.now()) / SECOND))

    def _waits_for(self, others: Iterable[int]) -> bool:
        """Wait until the others are over; returns whether to go on."""
        for other in others:
            while not self._over[other].wait(LOOK_S):
                if self._stop.is_set():
                    return False
        return not self._stop.is_set()

    def _watch(self, number: int, until: int) -> None:
        """Take the witness now and each second, until the fault is due to be healed."""
        while True:
            self._witness(number)
            next_ = self._clock.now() + int(WITNESS_S * SECOND)
            if not self._waits_until(min(next_, until)) or next_ >= until:
                return

    def _inject(self, number: int) -> None:
        fault, began = self._timeline[number].fault, self._clock.now()
        self._active.add(number)  # before: half an injection must be healed too
        fault.inject(self._context)
        self._unseen.add(number)
        self._note(Kind.INJECT, number, began)

    def _witness(self, number: int) -> None:
        began = self._clock.now()
        seen = self._look(self._timeline[number].fault)
        if seen.landed:
            self._unseen.discard(number)
        self._note(Kind.WITNESS, number, began, landed=seen.landed, figure=seen.figure, unit=seen.unit, text=seen.text)

    def _look(self, fault: Fault) -> Witness:
        """A witness that cannot be taken, because another fault ended the server, has seen nothing."""
        try:
            return fault.witness(self._context)
        except HarnessError as e:
            return Witness(False, 0.0, "seen", f"could not be looked at: {e}")

    def _heal(self, number: int, witnessed: bool = True) -> None:
        fault = self._timeline[number].fault
        if witnessed and number in self._unseen:
            self._unseen.discard(number)  # at the second try it is only healed
            fault.settle(self._context)
            self._witness(number)
        began = self._clock.now()
        fault.heal(self._context)
        self._active.discard(number)
        ready = fault.ready(self._context)
        self._note(Kind.HEAL, number, began, **({} if ready is None else {"ready": ready}))

    def _note(self, kind: Kind, number: int, began: int, **more: Scalar) -> None:
        fault: Fault = self._timeline[number].fault
        detail: dict[str, Scalar] = {
            "fault": number,
            "label": fault.label,
            "blocks_store": blocks_store(fault, self._context),
            "blocks_intake": blocks_intake(fault, self._context),
            **more,
        }
        self._record(Op("injector", kind, began, self._clock.now(), detail=detail))


def blocks_store(fault: Fault, context: FaultContext) -> bool:
    """Whether nothing at all can be stored while it is active: in Postgres, or where else the target stores events."""
    if (store := context.services.store) == "postgres":
        return fault.blocks_store
    if isinstance(fault, LinkFault):
        return fault.service == store and fault.process is None and fault.cuts_off
    if isinstance(fault, ProcessFault):
        return fault.process == store and not isinstance(fault, Restart)  # it is back long before its healing
    return store == (fault.service if isinstance(fault, Crash) else "redis" if isinstance(fault, OutOfMemory) else "")


def blocks_intake(fault: Fault, context: FaultContext) -> bool:
    """Whether the intake is expected to suffer: by the fault itself, or because its queue is in the broken store."""
    return fault.blocks_intake(context) or (context.services.queue == "postgres" and fault.blocks_store)
