"""Nothing that was acknowledged is lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from shaketable import plural
from shaketable.checks.check import Anomaly, Column, Finding, Verdict
from shaketable.checks.kinds import losses
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
    neither, and the queue still holds something, so that it may come yet. stored_by_resend: among the lost, those that
    are stored only because their client sent them again: after the acknowledgement and before that attempt the queue
    was seen empty twice, and then no more rows were counted than had been committed by that time. parked: entries that
    the target has given up and nobody retries (`[queue.parked]`); an event among them is lost, and they are the reason.

    Evidence: journals, stored rows, commit times, dead letters, the length of the queue. Something missing while the
    queue is not empty, while nobody knows the queue, or among rows that nobody could read, is unknown.

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
        Column(
            "lost",
            "acknowledged, and in the end neither stored nor dead-lettered nor queued, or stored only by a resend",
            ("lost",),
            rank=10,
        ),
    )

    def judge(self, history: History) -> Finding:
        if (finding := unseen(history)) is not None:
            return finding
        assert history.events is not None
        if not (acknowledged := losses.acknowledged(history)).any():
            return unknown("nothing was acknowledged, so nothing could be lost")
        return _judged(history, acknowledged)


def _judged(history: History, acknowledged: Flags) -> Finding:
    missing, resent = losses.missing(history), losses.by_resend(history)
    doubt = losses.doubt(history, int(missing.sum())) if missing.any() else ""
    gone, undelivered = (missing & False, missing) if doubt else (missing, missing & False)
    found = counts(
        acknowledged=acknowledged,
        stored=acknowledged & (history.rows_of > 0),
        dead_lettered=acknowledged & (history.dead_letters_of > 0) if history.dead is not None else 0,
        lost=gone | resent,
        undelivered=undelivered,
        queued=history.queue_length or 0,
        **({"stored_by_resend": resent} if resent.any() else {}),
        **({"parked": sum(length or 0 for length in history.parked.values())} if history.parked else {}),
    )
    verdict = Verdict.FAILED if found["lost"] else Verdict.UNKNOWN if found["undelivered"] else Verdict.PASSED
    lines = [
        plural.counted(int(gone.sum()), _GONE) + _parked(history) if gone.any() else "",
        plural.counted(int(resent.sum()), _RESENT) if resent.any() else "",
        doubt,
        while_open(history, missing | resent) if (missing | resent).any() else "",
    ]
    why = "; ".join(filter(None, lines))
    return Finding(verdict, found, members(history, lost=gone | resent, undelivered=undelivered), why)


_GONE = "acknowledged events are neither stored nor dead-lettered, and the queue is empty"
_RESENT = "acknowledged events were lost, and are stored only because of a resend"


def _parked(history: History) -> str:
    """The events that the target has given up, as a reason for a loss."""
    held = ", ".join(f"{key}: {length:,}" for key, length in (history.parked or {}).items() if length)
    return f"; the target has parked events that nobody retries ({held})" if held else ""
