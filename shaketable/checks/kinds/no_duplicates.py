"""Nothing is stored twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from shaketable import plural
from shaketable.checks.check import Anomaly, Column, Finding, Verdict
from shaketable.checks.kinds.findings import counts, members, unknown, unseen
from shaketable.checks.kinds.redelivered import answers_lost
from shaketable.evidence.history.columns import count

if TYPE_CHECKING:
    from shaketable.checks.kinds.findings import Flags
    from shaketable.evidence.history import History
    from shaketable.evidence.history.columns import Ints


@dataclass(frozen=True)
class NoDuplicates:
    """Every event is stored at most once, however often it was sent.

    doubled: more than one row holds its id. unprovoked: more rows than attempts that the target may have taken: the
    target itself doubled it; for the other doubled ones it failed to recognize the second attempt. exposed: sent at
    least twice, at least two of the attempts not refused, and stored; only these could have been doubled by a resend.
    A target that claims no deduplication (capabilities.deduplicates) is judged by `unprovoked` alone; resent are then
    the events that it stored once for each attempt, and doubled are the others. Of a target that delivers to the
    harness's receiver ([outbound]) and claims no deduplication, repeated counts the deliveries whose answer a witnessed
    fault could take away, on the links to the receiver or on a process that delivers: to deliver such an event again is
    what at least once means. doubtful: repeated within a lease or an attempt of such a fault, or of one on any service
    that the target uses, which may keep it from noting a delivery as done.

    Evidence: journals and stored rows. Without a doubled and without an exposed event: unknown; of a target that claims
    no deduplication, without a stored event, or with doubtful ones and nothing worse.

    Does not prove: anything about events with the same contents under different ids; they are different events.
    """

    name: ClassVar[str] = "no_duplicates"
    held: ClassVar[str] = "none was stored twice"
    anomalies: ClassVar[tuple[Anomaly, ...]] = (Anomaly("doubled", "doubled", "#9a6dd7", rank=30),)
    columns: ClassVar[tuple[Column, ...]] = (
        Column("doubled", "stored more than once, although its client may have sent it again", ("doubled",), rank=20),
        Column("by itself", "of those doubled: stored more often than it was sent", ("unprovoked",), rank=30),
    )

    def judge(self, history: History) -> Finding:
        if (finding := unseen(history)) is not None:
            return finding
        taken, doubled = _taken(history), history.rows_of > 1
        exposed = (taken > 1) & (history.rows_of > 0)
        if not history.capabilities.deduplicates:
            return _by_itself(history, taken, exposed)
        unprovoked = doubled & (history.rows_of > taken)
        found = counts(stored=history.rows_of > 0, exposed=exposed, doubled=doubled, unprovoked=unprovoked)
        if doubled.any():
            why = plural.counted(found["doubled"], "events are stored more than once")
            return Finding(Verdict.FAILED, found, members(history, doubled=doubled), why)
        if not exposed.any():
            return unknown("no stored event was sent twice, so nothing could be doubled")
        return Finding(Verdict.PASSED, found)


def _by_itself(history: History, taken: Ints, exposed: Flags) -> Finding:
    """For a target that claims no deduplication, only rows beyond the number of sends and of lost answers count."""
    (repeated, at_most), doubled = answers_lost(history), history.rows_of > 1
    unprovoked = doubled & (history.rows_of > taken + at_most)
    doubtful = doubled & (history.rows_of > taken + repeated) & ~unprovoked
    found = counts(
        stored=history.rows_of > 0,
        exposed=exposed,
        doubled=unprovoked,
        unprovoked=unprovoked,
        resent=doubled & ~unprovoked & ~doubtful,
    )
    if history.target.outbound is not None:
        found |= counts(repeated=int(repeated.sum()), doubtful=doubtful)
    if unprovoked.any():
        why = plural.counted(found["unprovoked"], "events are stored more often than sent")
        return Finding(Verdict.FAILED, found, members(history, doubled=unprovoked), why)
    if doubtful.any():
        again = plural.counted(found["doubtful"], "events were delivered again")
        why = f"{again} near a fault that may have taken an answer, or the note that a delivery is done"
        return Finding(Verdict.UNKNOWN, found, members(history, doubtful=doubtful), why)
    return Finding(Verdict.PASSED, found) if found["stored"] else unknown("nothing is stored")


def _taken(history: History) -> Ints:
    """How many attempts of each event the target may have taken."""
    assert history.events is not None
    taken = history.attempts.event[history.attempts.outcome != "refused"]
    return count(taken.to_numpy(), len(history.events))
