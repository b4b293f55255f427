"""The status of a running run, and the plain lines that show it where there is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self, TextIO

from shaketable.clock import SECOND, Clock, SystemClock
from shaketable.op import Scalar
from shaketable.text import visible


@dataclass(frozen=True)
class Status:
    """The state of a run. None is 'not seen yet'."""

    phase: str
    left_s: float | None = None
    scheduled: int = 0
    acknowledged: int = 0
    stored: Scalar = None
    queue: Scalar = None
    health: Scalar = None
    breaker: Scalar = None
    faults: Sequence[str] = ()
    breakers: Mapping[str, str] = field(default_factory=dict)  # by process


class Reporter(Protocol):
    """Shows a run to somebody. Use as a context manager."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def print(self, text: str) -> None:
        """One line that stays."""
        ...

    def update(self, status: Status) -> None:
        """How it stands; may come often."""
        ...


class PlainReporter:
    """A line when the phase or the faults change, else one every few seconds. Reads well in a pipe and a CI log."""

    #: Seconds between two lines of the same phase.
    EVERY_S = 5

    def __init__(self, out: TextIO | None = None, clock: Clock | None = None) -> None:
        self._out, self._clock = out or sys.stdout, clock or SystemClock()
        self._began = self._clock.now()
        self._last: tuple[int, tuple[str, ...]] = (0, ())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._out.flush()

    def print(self, text: str) -> None:
        print(f"{(self._clock.now() - self._began) / SECOND:6.1f} s  {visible(text)}", file=self._out, flush=True)

    def update(self, status: Status) -> None:
        at, what = self._last
        now, this = self._clock.now(), (status.phase, *status.faults)
        if this != what or now - at >= self.EVERY_S * SECOND:
            self._last = now, this
            self.print(_sentence(status))


class SilentReporter(PlainReporter):
    """Prints nothing."""

    def print(self, text: str) -> None:
        pass

    def update(self, status: Status) -> None:
        pass


class BriefReporter(PlainReporter):
    """Prints messages, but no progress: for one run of many."""

    def update(self, status: Status) -> None:
        pass


def _sentence(s: Status) -> str:
    parts = [f"{s.phase:<9}"]
    if s.left_s is not None:
        parts.append(f"{max(0, s.left_s):3.0f} s left")
    parts.append(f"sent {s.acknowledged} of {s.scheduled} acknowledged, {_or(s.stored)} stored, {_or(s.queue)} queued")
    parts.append(f"health {_or(s.health)}, breaker {_or(s.breaker)}")
    return " · ".join([*parts, *(f"FAULT {fault}" for fault in s.faults)])


def _or(value: Scalar) -> str:
    return "–" if value is None else f"{value}"
