"""One breaker's life: the transitions of one incarnation of one process, and its traffic at the store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from shaketable.checks.kinds.spans import Span, observed_at
from shaketable.clock import MS
from shaketable.evidence.history.columns import NEVER, Ints
from shaketable.op import UNREAD

if TYPE_CHECKING:
    import pandas as pd

    from shaketable.evidence.history import History

CLOSED, OPEN, HALF_OPEN = "CLOSED", "OPEN", "HALF_OPEN"
#: The states that may follow each state. None is before the first transition.
LEGAL = {None: {CLOSED}, CLOSED: {OPEN}, OPEN: {HALF_OPEN}, HALF_OPEN: {CLOSED, OPEN}}
#: Postgres logs whole milliseconds, cut: a statement may seem that much older (ns).
LOG_GRAIN = 2 * MS


@dataclass(frozen=True, eq=False)
class Incarnation:
    """Its transitions in order of `seq`; `end` is when the process ended, or when the run stopped watching."""

    process: str
    number: str
    seqs: list[int]
    times: list[int]
    befores: list[str | None]
    states: list[str]
    end: int
    ended: bool  # it ended before the run did
    is_read: bool  # to the end of its process's file
    history: History

    @property
    def name(self) -> str:
        """As its sessions call themselves: PROCESS.INCARNATION."""
        return f"{self.process}.{self.number}"

    @property
    def is_whole(self) -> bool:
        """Whether every transition from the first to the last is there, with a number and a time in order."""
        numbered = self.befores[0] is None and all(b == a + 1 for a, b in pairwise(self.seqs))
        return self.is_read and numbered and self.times[0] >= 0 and self.times == sorted(self.times)

    def spans(self, state: str) -> Iterator[Span]:
        """While it was in that state."""
        for began, ended, what in zip(self.times, [*self.times[1:], self.end], self.states, strict=True):
            if what == state:
                yield Span(began, ended)

    def state_at(self, time: int) -> str | None:
        """Its state then; None before its first transition."""
        known = [state for at, state in zip(self.times, self.states, strict=True) if at <= time]
        return known[-1] if known else None

    def moves(self, before: str, after: str) -> list[int]:
        """When it went from one state to another."""
        return [at for at, b, a in zip(self.times, self.befores, self.states, strict=True) if (b, a) == (before, after)]

    @cached_property
    def sunk(self) -> Ints:
        """When it tried to connect to the store, and a sink took it."""
        sinks = self.history.sinks
        if sinks is None:
            return np.array([], dtype=np.int64)
        mine = (sinks.service == self.history.target.store) & (sinks.process == self.process)
        times = sinks.time[mine & (sinks.by.isna() | (sinks.by == self.name))].to_numpy(dtype=np.int64)
        return times[(times >= self.times[0]) & (times < self.end)]

    @cached_property
    def logged(self) -> bool:
        """Whether Postgres is its store, and its log knows the sessions by name, so that silence means something."""
        received = self._log
        return received is not None and bool((received.by == self.name).any())

    @property
    def _log(self) -> pd.DataFrame | None:
        return self.history.received if self.history.target.store == "postgres" else None

    def received(self, *what: str) -> Ints:
        """When Postgres, as its store, received something from it: `connect`, `statement`."""
        log = self._log
        if log is None:
            return np.array([], dtype=np.int64)
        return np.asarray(log.time[(log.by == self.name) & log.what.isin(what)].to_numpy(dtype=np.int64))


def incarnations(history: History) -> list[Incarnation]:
    """All of them, by process and incarnation."""
    if history.transitions is None:
        return []
    groups = history.transitions[history.transitions.incarnation != UNREAD].groupby(["process", "incarnation"])
    return [_incarnation(history, str(process), str(number), rows) for (process, number), rows in groups]


def unread(history: History) -> list[str]:
    """The processes whose transitions could not be read to the end."""
    seen = history.transitions
    return [] if seen is None else sorted(set(seen.process[seen.incarnation == UNREAD]))


def _incarnation(history: History, process: str, number: str, rows: pd.DataFrame) -> Incarnation:
    exit_ = _exit(history, process, number)
    end = min(exit_, observed_at(history))
    return Incarnation(
        process,
        number,
        rows.seq.tolist(),
        rows.time.tolist(),
        rows.from_.tolist(),
        rows.to.tolist(),
        end,
        exit_ <= observed_at(history) and exit_ != NEVER,
        process not in unread(history),
        history,
    )


def _exit(history: History, process: str, number: str) -> int:
    """When it ended, or a later incarnation began; NEVER when it went on."""
    seen = history.processes
    if seen is None:
        return NEVER
    mine = seen[(seen.process == process) & (seen.incarnation == number) & ~seen.started.astype(bool)]
    return int(mine.time.min()) if len(mine) else NEVER
