"""Where a breaker stood when events were last seen, and why events were dead-lettered."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from shaketable import event
from shaketable.checks.kinds.incarnation import OPEN, incarnations
from shaketable.evidence.history.columns import NEVER

if TYPE_CHECKING:
    from shaketable.checks.kinds.findings import Flags
    from shaketable.evidence.history import History
    from shaketable.evidence.history.columns import Ints

#: Most causes in a sentence, and characters of each.
CAUSES, LONG = 3, 80
#: The parts that differ among dead letters of one cause: ids and numbers.
_OWN = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|\d+(?:\.\d+)?")


def open_at(history: History, time: int) -> list[str]:
    """The processes whose breaker was OPEN at that time."""
    return sorted({life.process for life in incarnations(history) for span in life.spans(OPEN) if span.has(time)})


def while_open(history: History, flags: Flags) -> str:
    """How many of these events were last seen while a breaker was OPEN, in a sentence; "" for none."""
    spans = [span for life in incarnations(history) for span in life.spans(OPEN)]
    times = last_seen(history)[flags]
    among = np.zeros(len(times), dtype=bool)
    for span in spans:
        among |= (times >= span.begin) & (times < span.end)
    return f"{int(among.sum()):,} of {len(times):,} were last seen while a breaker was OPEN" if among.any() else ""


def last_seen(history: History) -> Ints:
    """When each event was last known to be somewhere: the last failure of its dead letter, or its acknowledgement."""
    assert history.events is not None
    times = history.events.first_acknowledged.to_numpy().copy()
    if history.dead is not None:
        for number, told in zip(history.dead.number.tolist(), history.dead.last_failed_at, strict=True):
            if number >= 0 and (failed := failed_at(history, told)) is not None:
                times[number] = failed
    return times


def failed_at(history: History, told: Any) -> int | None:
    """A time in a dead letter, on the monotonic clock; None for a value that is no time."""
    at = event.instant(told) if isinstance(told, str) else None
    return None if at is None or abs(at) > NEVER // 1000 else int(history.clocks.to_monotonic(np.array([at]))[0])


def causes(history: History) -> list[str]:
    """The commonest causes of dead letters, each with its number; ids and numbers in them are left out."""
    assert history.dead is not None
    found = Counter(_cause(cause) for cause in history.dead.cause if cause)
    return [f"{count:,} × {cause}" for cause, count in found.most_common(CAUSES)]


def _cause(told: Any) -> str:
    line = next(iter(str(told).strip().splitlines()), "")
    short = _OWN.sub("…", line) if not line.isalnum() else line  # an SQLSTATE is a complete cause
    return short if len(short) <= LONG else short[: LONG - 1] + "…"
