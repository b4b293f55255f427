"""The injector plays a timeline: a heap of due actions, a monotonic clock, one event.

One thread performs all actions, in order, so that two faults never race for one proxy: of the actions due at once,
frozen processes are woken first, then other faults are healed, then the next are injected. In between it takes the
witness of every active fault. Its own failure is stored and raised in the main thread.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from shaketable.clock import SECOND, Clock, SystemClock
from shaketable.errors import HarnessError
from shaketable.faults.fault import Fault, FaultContext, Witness
from shaketable.faults.timeline import Timeline
from shaketable.op import Kind, Op, Scalar

#: Seconds between two looks at an active fault.
WITNESS_S = 1.0
#: Seconds that one injection, look or healing may take: a server that restarts, several proxies that have wedged.
ACTION_S = 60.0

Action = Callable[[int], None]


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
        self._due: list[tuple[int, int, Action, int]] = []
        self._active: set[int] = set()
        self._acting: int | None = None  # the fault whose action the thread performs
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="injector", daemon=True)
        self.error: BaseException | None = None

    def start(self, began: int) -> None:
        """Begin the shake; `began` is its zero, in monotonic ns."""
        for number, entry in enumerate(self._timeline):
            self._push(began + int(entry.at_s * SECOND), 2, self._inject, number)
            self._push(began + int(entry.until_s * SECOND), 1 - entry.fault.freezes, self._heal, number)
        self._thread.start()

    def active(self) -> list[str]:
        """The labels of the faults that are in effect."""
        return [self._timeline[number].fault.label for number in sorted(self._active)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.heal_all()

    def heal_all(self) -> None:
        """Stop playing and heal every active fault, even if one fails. Raises the thread's error, or a healing's.

        A healing that failed is tried once more: a server that another fault had ended is back by then.
        """
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(self._action_s)
        if (hung := self._acting if self._thread.is_alive() else None) is not None:
            label = self._timeline[hung].fault.label
            self.error = HarnessError(f"a fault does not come back within {self._action_s:g} s: {label}")
        for _ in range(2):
            self._heal_but(hung)
        self.raise_error()

    def _heal_but(self, hung: int | None) -> None:
        """Heal all active faults, frozen processes first, except the one that the thread hangs in."""
        left = self._active - {hung}
        for number in sorted(left, key=lambda number: (not self._timeline[number].fault.freezes, number)):
            try:
                self._heal(number)
            except Exception as e:  # the others must be healed nevertheless
                self.error = self.error or e

    def raise_error(self) -> None:
        """Raise the thread's error, once."""
        if self.error is not None:
            error, self.error = self.error, None
            raise error

    def _push(self, at: int, order: int, action: Action, number: int) -> None:
        heapq.heappush(self._due, (at, order * len(self._timeline) + number, action, number))

    def _run(self) -> None:
        try:
            while self._due and not self._stop.is_set():
                self._wait_and_act()
        except BaseException as e:  # reaches the main thread through `error`
            self.error = e

    def _wait_and_act(self) -> None:
        at, _, action, number = self._due[0]
        wait_s = (at - self._clock.now()) / SECOND
        if wait_s > 0 and self._stop.wait(wait_s):
            return
        heapq.heappop(self._due)
        self._acting = number
        action(number)
        self._acting = None

    def _inject(self, number: int) -> None:
        fault = self._timeline[number].fault
        began = self._clock.now()
        self._active.add(number)  # before: half an injection must be healed too
        fault.inject(self._context)
        self._note(Kind.INJECT, number, began)
        self._witness(number)

    def _witness(self, number: int) -> None:
        if number not in self._active:
            return
        began = self._clock.now()
        seen = self._look(self._timeline[number].fault)
        self._note(Kind.WITNESS, number, began, landed=seen.landed, figure=seen.figure, unit=seen.unit, text=seen.text)
        self._push(self._clock.now() + int(WITNESS_S * SECOND), 3, self._witness, number)

    def _look(self, fault: Fault) -> Witness:
        """A witness that cannot be taken, because another fault ended the server, has seen nothing."""
        try:
            return fault.witness(self._context)
        except HarnessError as e:
            return Witness(False, 0.0, "seen", f"could not be looked at: {e}")

    def _heal(self, number: int) -> None:
        if number not in self._active:
            return
        began = self._clock.now()
        self._timeline[number].fault.heal(self._context)
        self._active.discard(number)
        ready = self._timeline[number].fault.ready(self._context)
        self._note(Kind.HEAL, number, began, **({} if ready is None else {"ready": ready}))

    def _note(self, kind: Kind, number: int, began: int, **more: Scalar) -> None:
        fault: Fault = self._timeline[number].fault
        detail: dict[str, Scalar] = {
            "fault": number,
            "label": fault.label,
            "blocks_store": fault.blocks_store,
            "blocks_intake": fault.blocks_intake(self._context),
            **more,
        }
        self._record(Op("injector", kind, began, self._clock.now(), detail=detail))
