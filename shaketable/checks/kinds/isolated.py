"""Poisoned or cut-off organizations do not hold up others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd

from shaketable.checks.check import Finding, Verdict
from shaketable.checks.kinds.findings import counts, members, misses, not_applicable, some, unknown, unseen
from shaketable.checks.kinds.given import given
from shaketable.checks.kinds.spans import Span, observed_at
from shaketable.clock import SECOND
from shaketable.evidence.history.columns import NEVER
from shaketable.evidence.history.lateness import lost_by_harness
from shaketable.evidence.history.unreached import longer_s

if TYPE_CHECKING:
    from shaketable.checks.kinds.findings import Flags
    from shaketable.evidence.history import History
    from shaketable.evidence.history.observations import RecordedFault


@dataclass(frozen=True)
class Isolated:
    """While some events are poison, or one of several workers is in trouble, the events of others are stored in time.

    In time: committed within `within_s` seconds of the intended send time, less the harness's own delay. Poison:
    held_up are events of organizations none of whose events is poison, due while the store refused poison and not in
    time; at least the share `share` of them must be. One worker of several (a fault aimed at it alone):
    held_up_organizations had an event that was not in time, of all that had one due meanwhile; nobody can see whose
    lanes the worker held, so the share of organizations that are held up by nothing must be at least
    `organizations_share`: by default half of the other workers' share. Where lease_s or
    attempt_timeout_s of the scenario did not reach the target and its own is longer, `within_s` grows by the difference
    for a worker in trouble, unless it is the user's own budget.

    Evidence: schedule, acknowledgements, commit times, poison.jsonl, the faults' times. Dead letters and events without
    organization are not judged, nor events due while everybody was cut off from store or intake. Neither such a
    fault, or nothing to judge: unknown.

    Does not prove: isolation of two organizations that share a lane, beyond the budget.
    """

    within_s: float = 3.0
    share: float = 0.98
    organizations_share: float | None = None
    name: ClassVar[str] = "isolated"
    by_the_clock: ClassVar[bool] = True
    of_work: ClassVar[bool] = True
    held: ClassVar[str] = "one lane's trouble stayed its own"

    def judge(self, history: History) -> Finding:
        if (finding := unseen(history)) is not None:
            return finding
        poisoned = [fault for fault in history.faults if fault.spec.get("kind") == "reject_rows" and fault.landed]
        alone = [fault for fault in history.faults if _is_of_one(history, fault)]
        if not poisoned and not alone:
            return not_applicable("no event was poison, and no fault was aimed at one of several processes")
        if ((history.rows_of > 0) & (history.committed == NEVER)).any():
            return unknown("rows are stored whose commit time is not known")
        late, asked = _late(history, self.within_s), _asked(history, self.within_s)
        others = asked & _within(history, poisoned) & ~_of_poisoned(history)
        grown = self._grown_s(history)
        late_beyond, asked_beyond = _late(history, grown), _asked(history, grown)
        groups = [_organizations(history, fault, asked_beyond, late_beyond) for fault in alone]
        found = counts(others=others, held_up=others & late, **_told(groups))
        shown = members(history, held_up=others & late) | some(held_up_organizations=_names(groups))
        held = [self._held(history, fault, group) for fault, group in zip(alone, groups, strict=True)]
        if why := "; ".join(filter(None, [self._why(others, late), *held])):
            return Finding(Verdict.FAILED, found, shown, why)
        if (poisoned and not others.any()) or any(not len(group) for group in groups):
            lease = f", {grown:g} s before the end: a setting did not reach the target" if grown > self.within_s else ""
            return Finding(Verdict.UNKNOWN, found, {}, f"nothing of others was due meanwhile{lease}")
        return Finding(Verdict.PASSED, found, shown)

    def _grown_s(self, history: History) -> float:
        """`within_s` for a worker in trouble, which may hold events for a lease, or an attempt, of the target's own."""
        longer = {} if "within_s" in given(self, history) else longer_s(history)
        return self.within_s + longer.get("lease_s", 0.0) + longer.get("attempt_timeout_s", 0.0)

    def _why(self, others: Flags, late: Flags) -> str:
        """Why too many events were held up by poison; "" when they were not."""
        held_up, asked = int((others & late).sum()), int(others.sum())
        if not misses(held_up, asked, self.share):
            return ""
        late_by = f"not stored within {self.within_s:g} s (at least {self.share:.1%})"
        return f"{held_up:,} of {asked:,} events of others were {late_by}"

    def _held(self, history: History, fault: RecordedFault, group: pd.Series[bool]) -> str:
        """Why too many organizations were held up; "" when they were not."""
        peers = _peers(history, fault)
        least = (1 - 1 / peers) / 2 if self.organizations_share is None else self.organizations_share
        if not misses(int(group.sum()), len(group), least):
            return ""
        return (
            f"{int(group.sum())} of {len(group)} organizations were held up by {fault.label} (at least {least:.0%} not)"
        )


def _is_of_one(history: History, fault: RecordedFault) -> bool:
    """Whether it was aimed at one of several processes of a kind, and landed."""
    return bool(fault.spec.get("process")) and fault.landed is True and _peers(history, fault) > 1


def _peers(history: History, fault: RecordedFault) -> int:
    """How many processes of its kind there are, the one that it is aimed at among them; 0 for a whole kind."""
    names = set() if history.processes is None else set(history.processes.process)
    aimed = [name for name in names if history.is_aimed_at(fault, name)]
    kind = aimed[0].rpartition("-")[0] if len(aimed) == 1 else ""
    return sum(name.rpartition("-")[0] == kind for name in names) if kind else 0


def _asked(history: History, within_s: float) -> Flags:
    """Acknowledged, of an organization, not dead, seen for long enough; nothing stopped all events."""
    assert history.events is not None
    events, due = history.events, history.events.due.to_numpy()
    asked = (events.outcome == "acknowledged").to_numpy() & events.organization.notna().to_numpy()
    asked &= (events.expect != "refuse").to_numpy() & (due + int(within_s * SECOND) <= observed_at(history))
    if history.dead is not None:
        asked &= history.dead_letters_of == 0
    for fault in history.faults:
        if (fault.blocks_store or fault.blocks_intake) and fault.began != NEVER:
            asked &= ~_due_in(history, Span(fault.began - int(within_s * SECOND), fault.healed))
    return asked


def _late(history: History, within_s: float) -> Flags:
    assert history.events is not None
    took = history.committed - history.events.due.to_numpy() - lost_by_harness(history)
    return np.asarray(took > within_s * SECOND)


def _within(history: History, faults: list[RecordedFault]) -> Flags:
    """Due while one of them was active."""
    assert history.events is not None
    inside = np.zeros(len(history.events), dtype=bool)
    for fault in faults:
        inside |= _due_in(history, Span(fault.began, fault.healed))
    return inside


def _due_in(history: History, span: Span) -> Flags:
    assert history.events is not None
    due = history.events.due.to_numpy()
    return np.asarray((due >= span.begin) & (due < span.end))


def _of_poisoned(history: History) -> Flags:
    """Events of an organization of which an event is poison."""
    assert history.events is not None
    if history.poison is None:
        return np.zeros(len(history.events), dtype=bool)
    organizations = history.events.organization.to_numpy()
    return np.asarray(history.events.organization.isin(organizations[history.poison[history.poison >= 0]]))


def _organizations(history: History, fault: RecordedFault, asked: Flags, late: Flags) -> pd.Series[bool]:
    """Of each organization that had an event due meanwhile: whether one of them was late."""
    assert history.events is not None
    mine = asked & _within(history, [fault])
    found: pd.Series[bool] = pd.Series(late[mine]).groupby(history.events.organization.to_numpy()[mine]).any()
    return found


def _told(groups: list[pd.Series[bool]]) -> dict[str, int]:
    return {"organizations": sum(map(len, groups)), "held_up_organizations": sum(int(group.sum()) for group in groups)}


def _names(groups: list[pd.Series[bool]]) -> list[str]:
    return [str(name) for group in groups for name in group.index[group.to_numpy(dtype=bool)]]
