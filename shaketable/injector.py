"""The injector plays a timeline: a heap of what is due, a monotonic clock, one event.

One thread does all, in order, so that two faults never race for one proxy. Between injections and healings it takes the
witness of every active fault. Its own failure is kept and raised in the main thread.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from shaketable.clock import SECOND, Clock, SystemClock
from shaketable.fault import Bench, Fault
from shaketable.op import Kind, Op, Scalar
from shaketable.timeline import Timeline

#: Seconds between two looks at an active fault.
WITNESS_S = 1.0

Action = Callable[[int], None]


class Injector:
    """Plays `timeline` on `bench` from `began`; every op goes to `record`. On leaving the `with`, all is healed."""

    def __init__(
        self, timeline: Timeline, bench: Bench, record: Callable[[Op], None], clock: Clock | None = None
    ) -> None:
        self._timeline, self._bench, self._record = timeline, bench, record
        self._clock = clock or SystemClock()
        self._due: list[tuple[int, int, Action, int]] = []
        self._active: set[int] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="injector", daemon=True)
        self.error: BaseException | None = None

    def start(self, began: int) -> None:
        """Begin the shake; `began` is its zero, in monotonic ns."""
        for number, entry in enumerate(self._timeline):
            self._push(began + int(entry.at_s * SECOND), 1, self._inject, number)
            self._push(began + int(entry.until_s * SECOND), 0, self._heal, number)
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
        """Stop playing and heal what is still active. Raises what the thread raised."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        for number in sorted(self._active):
            self._heal(number)
        self.raise_error()

    def raise_error(self) -> None:
        """Raise what the thread could not, once."""
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
        action(number)

    def _inject(self, number: int) -> None:
        fault = self._timeline[number].fault
        began = self._clock.now()
        self._active.add(number)  # before: half an injection must be healed too
        fault.inject(self._bench)
        self._note(Kind.INJECT, number, began)
        self._witness(number)

    def _witness(self, number: int) -> None:
        if number not in self._active:
            return
        began = self._clock.now()
        seen = self._timeline[number].fault.witness(self._bench)
        self._note(Kind.WITNESS, number, began, landed=seen.landed, figure=seen.figure, unit=seen.unit, text=seen.text)
        self._push(self._clock.now() + int(WITNESS_S * SECOND), 2, self._witness, number)

    def _heal(self, number: int) -> None:
        if number not in self._active:
            return
        began = self._clock.now()
        self._timeline[number].fault.heal(self._bench)
        self._active.discard(number)
        self._note(Kind.HEAL, number, began)

    def _note(self, kind: Kind, number: int, began: int, **more: Scalar) -> None:
        fault: Fault = self._timeline[number].fault
        detail: dict[str, Scalar] = {
            "fault": number, "label": fault.label, "blocks_store": fault.blocks_store,
            "blocks_intake": fault.blocks_intake, **more,
        }  # fmt: skip
        self._record(Op("injector", kind, began, self._clock.now(), detail=detail))
