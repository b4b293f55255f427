"""Retries leave a store that is unavailable, or an event that is refused, time to come right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import pandas as pd

from shaketable import plural
from shaketable.checks.check import Finding, Verdict
from shaketable.checks.kinds.findings import counts, some, unknown
from shaketable.checks.kinds.letters import attempts, grain_s, seconds
from shaketable.checks.kinds.spans import Span, store_outages, told

if TYPE_CHECKING:
    from shaketable.evidence.history import History

#: How a target's sessions call themselves: PROCESS.INCARNATION. The harness's own have no dot.
_BY = r"^(.+)\.[^.]+$"
#: A shorter absence says nothing about a rate (s).
ENOUGH_S = 2.0


@dataclass(frozen=True)
class RetriesBounded:
    """Retries have an end and pauses between them, so that they are no storm.

    storm: a process that, while nothing could be stored, opened more than `connections_per_s` connections to the store
    or sent it more than `statements_per_s` statements, as a mean over each outage. hammered: a dead letter of
    more than `attempts_per_letter` attempts, or whose attempts followed each other by less than `letter_pause_s`, as a
    mean from its first to its last failure; times without a fraction may be up to a second further apart.

    Evidence: sinks, and Postgres's log where Postgres is the store (the real traffic, by application name), the faults'
    times, the dead letters' own word. An absence of the store of 2 s or more about which neither sink nor log can
    speak, or neither such an absence nor a dead letter with a number of attempts: unknown. An intake whose queue is in
    the store is not judged: it sends what the clients send.

    Does not prove: that pauses grow, or differ from worker to worker.
    """

    connections_per_s: float = 5.0
    statements_per_s: float = 50.0
    attempts_per_letter: int = 20
    letter_pause_s: float = 0.05
    name: ClassVar[str] = "retries_bounded"
    held: ClassVar[str] = "retries stayed within bounds"

    def judge(self, history: History) -> Finding:
        outages = [span for span in store_outages(history) if span.seconds >= ENOUGH_S]
        seen = [_received(history, span) for span in outages]
        storm = [line for span, tries in zip(outages, seen, strict=True) for line in self._storms(history, span, tries)]
        letters = _letters(history)
        hammered = letters[(letters.attempts > self.attempts_per_letter) | (letters.pause_s < self.letter_pause_s)]
        lines = [f"{row.event_id}: {row.attempts} attempts, {row.pause_s:.3g} s apart" for row in hammered.itertuples()]
        found = counts(
            absences=len(outages),
            connections_per_s=_peak(outages, seen, "connect"),
            letters=len(letters),
            statements_per_s=_peak(outages, seen, "statement"),
            storm=storm,
            hammered=lines,
        )
        if storm or lines:
            why = "; ".join(storm[:1] + [plural.counted(len(lines), "dead letters were hammered")] * bool(lines))
            return Finding(Verdict.FAILED, found, some(storm=storm, hammered=lines), why)
        if any(not len(tries) for tries in seen):
            return Finding(Verdict.UNKNOWN, found, {}, "neither a sink nor the store's log saw who tried meanwhile")
        if not outages and not len(letters):
            return unknown(f"the store was never unavailable for {ENOUGH_S:g} s, and no dead letter tells its attempts")
        return Finding(Verdict.PASSED, found)

    def _storms(self, history: History, span: Span, tries: pd.DataFrame) -> Iterator[str]:
        for what, name, budget in (
            ("connect", "connections", self.connections_per_s),
            ("statement", "statements", self.statements_per_s),
        ):
            for process, tried in tries.process[tries.what == what].value_counts().items():
                if tried / span.seconds > budget:
                    yield (
                        f"{process} at {told(history, span.begin)}: {tried} {name} in {span.seconds:.1f} s "
                        f"(budget {budget:g}/s)"
                    )


def _received(history: History, span: Span) -> pd.DataFrame:
    """The traffic of each process at the store, or at a sink in its place, meanwhile: `process`, `what`."""
    parts = [pd.DataFrame(columns=["process", "what"], dtype=object)]
    if history.sinks is not None:
        sunk = history.sinks[(history.sinks.service == history.target.store) & _inside(history.sinks.time, span)]
        parts.append(sunk[["process"]].assign(what="connect"))
    if history.received is not None and history.target.store == "postgres":
        log = history.received[_inside(history.received.time, span) & (history.received.what != "disconnect")]
        named = log.assign(process=log.by.str.extract(_BY, expand=False)).dropna(subset="process")
        parts.append(named[["process", "what"]])
    found = pd.concat(parts, ignore_index=True)
    return found[~found.process.isin(_intakes(history))] if history.target.queues_in_store else found


def _intakes(history: History) -> list[str]:
    """The processes that accept events, and the clients, whose sender may do without one."""
    kinds = (kind for kind in history.target.process if kind.name == history.target.ingest.process)
    return ["clients", *(name for kind in kinds for name in kind.instances())]


def _inside(times: pd.Series[int], span: Span) -> pd.Series[bool]:
    return (times >= span.begin) & (times < span.end)


def _peak(outages: list[Span], seen: list[pd.DataFrame], what: str) -> float:
    """The highest rate of any process in any absence."""
    rates = [
        tries.process[tries.what == what].value_counts().max() / span.seconds
        for span, tries in zip(outages, seen, strict=True)
        if (tries.what == what).any()
    ]
    return float(max(rates, default=0.0))


def _letters(history: History) -> pd.DataFrame:
    """Dead letters with their attempts, and the mean pause between them (s); without times, none."""
    rows = [] if history.dead is None else list(history.dead.itertuples())
    tried = [(row.event_id, attempts(row.attempts), _pause(row)) for row in rows if attempts(row.attempts) > 0]
    return pd.DataFrame(tried, columns=["event_id", "attempts", "pause_s"]).astype({"pause_s": float})


def _pause(letter: object) -> float | None:
    """Seconds between two attempts of a dead letter, as a mean; None for a single one, or without times."""
    times = getattr(letter, "first_failed_at", None), getattr(letter, "last_failed_at", None)
    took, tried = seconds(*times), attempts(getattr(letter, "attempts", None))
    return None if took is None or tried < 2 else (took + grain_s(*times)) / (tried - 1)
