"""Show an exploration: a line for each failure and each minute in a pipe, a table that changes at a terminal."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.live import Live
from rich.table import Table

from shaketable import plural
from shaketable.checks.check import Verdict
from shaketable.explore.trial import Played
from shaketable.text import visible

#: Seconds between two lines in a pipe.
EVERY_S = 20.0


@dataclass
class Totals:
    """The trials so far."""

    trials: int = 0
    failed: int = 0
    unknown: int = 0
    doubts: list[str] = field(default_factory=list)  # why trials were unknown

    def note(self, played: Played) -> None:
        self.trials += 1
        self.failed += played.verdict is Verdict.FAILED
        if played.verdict is Verdict.UNKNOWN:
            self.unknown += 1
            self.doubts.append(played.why)

    def add(self, trials: int, failed: int, unknown: int, doubts: Sequence[str]) -> None:
        """Add the totals of another exploration."""
        self.trials += trials
        self.failed += failed
        self.unknown += unknown
        self.doubts.extend(doubts)


class ExplorationProgress:
    """A context manager. The lanes call `trying` from their threads, the exploration calls the rest."""

    def __init__(
        self, lanes: int, budget_s: float, out: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._out, self._clock, self._budget_s = out or sys.stdout, clock, budget_s
        self._began = self._told = clock()
        self.totals = Totals()
        self._trying = [""] * lanes
        self._lock = threading.Lock()
        console = Console(file=self._out, highlight=False)
        self._live = Live(console=console, refresh_per_second=2, transient=True) if self._out.isatty() else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def say(self, text: str) -> None:
        """One line that stays."""
        line = f"{self._clock() - self._began:6.1f} s  {visible(text)}"
        if self._live:
            self._live.console.print(line, markup=False)
        else:
            print(line, file=self._out, flush=True)

    def trying(self, lane: int, what: str) -> None:
        """What a lane tries now; "" for nothing."""
        with self._lock:
            self._trying[lane] = what
            if self._live:
                self._live.update(self._picture())

    def note(self, played: Played) -> None:
        """Count a trial; in a pipe, print the totals now and then."""
        self.totals.note(played)
        now = self._clock()
        if self._live is None and now - self._told >= EVERY_S:
            self._told = now
            self.say(self.sentence())

    def sentence(self) -> str:
        """The totals in a line."""
        t, minutes = self.totals, max(self._clock() - self._began, 1e-9) / 60
        told = f"{plural.counted(t.trials, 'trials')}, {t.failed} failed, {t.unknown} unknown"
        return f"{told}, {t.trials / minutes:.1f} a minute"

    def _picture(self) -> Table:
        table = Table(box=None, show_header=False, pad_edge=False)
        table.add_column(style="dim", justify="right", min_width=8)
        table.add_column()
        left = max(0.0, self._budget_s - (self._clock() - self._began))
        table.add_row("trials", f"{self.sentence()} · {left:.0f} s of the budget left")
        for number, what in enumerate(self._trying, 1):
            table.add_row(f"lane {number}", visible(what or "–"))
        return table
