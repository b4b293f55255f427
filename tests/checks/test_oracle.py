"""The checks against an oracle: a naive reading of each law, pair by pair and event by event, agrees both ways.

Hypothesis draws small histories in which anything may happen to an event; whatever the oracle finds the check must
find, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shaketable.checks import LatencyBudget, NoDuplicates, NoLoss, NothingInvented, OrderKept
from shaketable.op import Outcome
from tests.support.book import Part
from tests.support.histories import dead, history, queued, sent, stored, unsent
from tests.support.sends import Sent

#: Transactions by number: when each was committed. Two at one instant, one whose time nobody knows.
COMMITTED = {"1": 10, "2": 11, "3": 11, "4": 14, "5": None}
ACKNOWLEDGED, INDETERMINATE, REFUSED = Outcome.ACKNOWLEDGED, Outcome.INDETERMINATE, Outcome.REFUSED


@dataclass(frozen=True)
class Fate:
    """All that became of one event. Times in seconds; attempts as (begun, ended, outcome), rows as (xid, position)."""

    event_id: str
    organization: str | None
    due: int
    attempts: tuple[tuple[int, int, Outcome], ...]
    rows: tuple[tuple[str | None, int], ...]
    dead: bool

    @property
    def acknowledged_at(self) -> int | None:
        return min((ended for _, ended, outcome in self.attempts if outcome is ACKNOWLEDGED), default=None)

    @property
    def begun_at(self) -> int:
        return min(begun for begun, _, _ in self.attempts)

    @property
    def first_row(self) -> tuple[int | None, str | None, int]:
        """Commit time, transaction and position of the earliest row; an unknown time is the earliest."""
        told = [(_committed(xid), xid, position) for xid, position in self.rows]
        return min(told, key=lambda row: (-1 if row[0] is None else row[0], row[2]))


def _committed(xid: str | None) -> int | None:
    return None if xid is None else COMMITTED[xid]


def parts(fates: list[Fate], length: int) -> Iterator[Part]:
    """The same as a literal history."""
    for fate in fates:
        yield _sent(fate)
        for xid, position in fate.rows:
            yield stored(fate.event_id, at=_committed(xid), xid=xid, position=position)
        if fate.dead:
            yield dead(fate.event_id)
    yield queued(length)


def _sent(fate: Fate) -> Sent:
    if not fate.attempts:
        return unsent(fate.event_id, at=fate.due)
    (begun, ended, outcome), *others = fate.attempts
    event = sent(fate.event_id, at=begun, due=fate.due, organization=fate.organization)
    event = event._answered(ended, outcome, 202)
    for begun, ended, outcome in others:
        event = event.again(begun)._answered(ended, outcome, 202)
    return event


@st.composite
def fates(draw: st.DrawFn) -> list[Fate]:
    """Up to eight events to which anything may have happened."""
    return [draw(_fate(f"e{n}")) for n in range(draw(st.integers(0, 8)))]


@st.composite
def _fate(draw: st.DrawFn, event_id: str) -> Fate:
    due, begun, attempts = draw(st.integers(0, 6)), 0, []
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 0]))):
        begun = max(begun, due) + draw(st.integers(0, 2))
        ended = begun + draw(st.integers(0, 2))
        attempts.append((begun, ended, draw(st.sampled_from([ACKNOWLEDGED, ACKNOWLEDGED, INDETERMINATE, REFUSED]))))
        begun = ended
    row = st.tuples(st.sampled_from([*COMMITTED, None]), st.integers(0, 3))
    rows = draw(st.sampled_from([1, 1, 1, 0, 2]).flatmap(lambda n: st.lists(row, min_size=n, max_size=n)))
    organization = draw(st.sampled_from(["x", "x", "y", None]))
    return Fate(event_id, organization, due, tuple(attempts), tuple(rows), draw(st.sampled_from([False, False, True])))


def lost(fates: list[Fate], length: int) -> set[str]:
    gone = {f.event_id for f in fates if f.acknowledged_at is not None and not f.rows and not f.dead}
    return set() if length else gone


def doubled(fates: list[Fate]) -> set[str]:
    return {f.event_id for f in fates if len(f.rows) > 1}


def invented(fates: list[Fate]) -> set[str]:
    """Kept, although no attempt was made, or each was refused."""
    return {f.event_id for f in fates if (f.rows or f.dead) and all(o is REFUSED for _, _, o in f.attempts)}


def overtaken(fates: list[Fate]) -> set[str]:
    """Every pair is looked at."""
    judged = [f for f in fates if f.organization and f.rows and not f.dead and f.acknowledged_at is not None]
    return {b.event_id for a in judged for b in judged if _precedes(a, b) and _is_stored_after(a, b)}


def _precedes(a: Fate, b: Fate) -> bool:
    assert a.acknowledged_at is not None
    again, (committed, _, _) = min((at for at, _, _ in a.attempts if at > a.acknowledged_at), default=None), a.first_row
    if again is not None and (committed is None or committed > again):
        return False  # its row may be the later attempt's
    return a.organization == b.organization and a.acknowledged_at < b.begun_at


def _is_stored_after(a: Fate, b: Fate) -> bool:
    (at_a, xid_a, position_a), (at_b, xid_b, position_b) = a.first_row, b.first_row
    by_time = at_a is not None and at_b is not None and at_a > at_b
    by_place = xid_a is not None and xid_a == xid_b and position_a > position_b
    return by_time or by_place


def late(fates: list[Fate], within_s: int, length: int) -> set[str]:
    """Acknowledged, neither dead nor lost, no row of unknown time, and not committed in time."""
    times = {f.event_id: [_committed(xid) for xid, _ in f.rows] for f in fates}
    gone = lost(fates, length)
    asked = [f for f in fates if f.acknowledged_at is not None and not f.dead and f.event_id not in gone]
    known = [f for f in asked if not times[f.event_id] or any(t is not None for t in times[f.event_id])]
    return {f.event_id for f in known if not any(t is not None and t - f.due <= within_s for t in times[f.event_id])}


@pytest.mark.slow
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(fates(), st.sampled_from([0, 0, 3]))
def test_check_finds_what_the_oracle_finds_and_nothing_else(fates: list[Fate], length: int) -> None:
    found = history(*parts(fates, length))
    told = {
        check.name: check.judge(found).members
        for check in (NoLoss(), NoDuplicates(), NothingInvented(), OrderKept(), LatencyBudget(None, 1, 6, 1))
    }
    assert set(told["no_loss"].get("lost", [])) == lost(fates, length)
    assert set(told["no_duplicates"].get("doubled", [])) == doubled(fates)
    invention = told["nothing_invented"]
    assert {*invention.get("unsent", []), *invention.get("refused", [])} == invented(fates)
    assert {
        pair.partition(":")[0].partition(" before ")[2] for pair in told["order_kept"].get("overtaken", [])
    } == overtaken(fates)
    assert set(told["latency_budget"].get("stored_late", [])) == late(fates, 6, length)
