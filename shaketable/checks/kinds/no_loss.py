"""Nothing that was acknowledged is lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from shaketable import plural
from shaketable.checks.check import Anomaly, Column, Finding, Verdict
from shaketable.checks.kinds.findings import counts, members, unknown, unseen
from shaketable.checks.kinds.last_seen import while_open

if TYPE_CHECKING:
    from shaketable.checks.kinds.findings import Flags
    from shaketable.evidence.history import History


@dataclass(frozen=True)
class NoLoss:
    """Every acknowledged event is stored or dead-lettered.

    acknowledged: at least one attempt was answered with 202; malformed events, which nobody may accept, are left to
    `refuses_rightly`. stored, dead-lettered: the harness read it in the target's
    own database after the drain. lost: acknowledged, neither, and the queue is empty. undelivered: acknowledged,
    neither, and the queue still holds something, so that it may come yet. parked: entries that the target has given up
    and nobody retries (`[queue.parked]`); an event among them is lost, and they are the reason.

    Evidence: journals, stored rows, dead letters, the length of the queue. Something missing while the queue is not
    empty, while nobody knows the queue, or among rows that nobody could read, is unknown.

    Does not prove: durability against power loss, unless the scenario has such a fault (a killed process leaves the
    page cache), or anything about events whose every attempt was refused or indeterminate.
    """

    name: ClassVar[str] = "no_loss"
    held: ClassVar[str] = "no acknowledged event was lost"
    anomalies: ClassVar[tuple[Anomaly, ...]] = (
        Anomaly("lost", "lost", "#d9534f", rank=10),
        Anomaly("undelivered", "not delivered", "#cf8a2e", rank=20),
    )
    columns: ClassVar[tuple[Column, ...]] = (
        Column("lost", "acknowledged, and in the end neither stored nor dead-lettered nor queued", ("lost",), rank=10),
    )

    def judge(self, history: History) -> Finding:
        if (finding := unseen(history)) is not None:
            return finding
        assert history.events is not None
        acknowledged = ((history.events.outcome == "acknowledged") & (history.events.expect != "refuse")).to_numpy()
        if not acknowledged.any():
            return unknown("nothing was acknowledged, so nothing could be lost")
        stored = history.rows_of > 0
        dead = history.dead_letters_of > 0 if history.dead is not None else np.zeros_like(stored)
        return _judged(history, acknowledged, stored, dead)


def _judged(history: History, acknowledged: Flags, stored: Flags, dead: Flags) -> Finding:
    missing = acknowledged & ~stored & ~dead
    why = _doubt(history, int(missing.sum())) if missing.any() else ""
    lost, undelivered = (missing & False, missing) if why else (missing, missing & False)
    found = counts(
        acknowledged=acknowledged,
        stored=acknowledged & stored,
        dead_lettered=acknowledged & dead,
        lost=lost,
        undelivered=undelivered,
        queued=history.queue_length or 0,
        **({"parked": sum(length or 0 for length in history.parked.values())} if history.parked else {}),
    )
    verdict = Verdict.FAILED if lost.any() else Verdict.UNKNOWN if undelivered.any() else Verdict.PASSED
    if lost.any():
        meaning = "acknowledged events are neither stored nor dead-lettered, and the queue is empty"
        why = plural.counted(found["lost"], meaning) + _parked(history)
    why = "; ".join(filter(None, [why, while_open(history, missing) if missing.any() else ""]))
    return Finding(verdict, found, members(history, lost=lost, undelivered=undelivered), why)


def _parked(history: History) -> str:
    """The events that the target has given up, as a reason for a loss."""
    held = ", ".join(f"{key}: {length:,}" for key, length in (history.parked or {}).items() if length)
    return f"; the target has parked events that nobody retries ({held})" if held else ""


def _doubt(history: History, missing: int) -> str:
    """Why missing events need not be lost; "" when they are."""
    for what, kept in (("stored rows", history.stored), ("dead letters", history.dead)):
        if (unread := history.unread(kept))[0] >= missing:
            return f"acknowledged events are not stored, but {what} could not be read: {unread[1]}"
    if history.dead is None:
        return "acknowledged events are not stored, and dead letters were not observed"
    if history.queue is None or history.queue_length is None:
        return "acknowledged events are not stored, and nobody knows what the queue holds: name it under [queue]"
    if history.queue_length:
        held = ", ".join(f"{key}: {length:,}" for key, length in history.queue.items() if length)
        left = plural.counted(history.queue_length or 0, "entries")
        return f"acknowledged events are not stored, but the queue still holds {left} ({held})"
    return ""
