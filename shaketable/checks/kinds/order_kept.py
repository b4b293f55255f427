"""Within each organization, events are stored in the order in which they happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from shaketable import plural
from shaketable.checks.check import Anomaly, Column, Finding, Verdict
from shaketable.checks.kinds.findings import evenly, not_applicable, unknown, unseen
from shaketable.checks.kinds.losses import maybe_by_resend
from shaketable.checks.kinds.precedence import overtaken
from shaketable.checks.kinds.spans import told
from shaketable.evidence.history.columns import NEVER
from shaketable.evidence.history.persisted import NONE

if TYPE_CHECKING:
    from shaketable.evidence.history import History

#: The one member of an audit event by which the schedule knows real-time order.
ORGANIZATION = "organizationId"


@dataclass(frozen=True)
class OrderKept:
    """Of two events of one organization, the one that was sent before the other is stored before it.

    Of a target's own events: of two with the same value of event.order_by.

    A before B: A's first acknowledgement ended before B's first attempt began. Stored before: by the commit time of
    their transactions (pg_xact_commit_timestamp), within one transaction by the position it assigned. judged: events
    that follow at least one other by that measure. overtaken: judged events stored before one that they follow; each is
    shown with such a one. Every inversion among such pairs is found, however far apart.

    Evidence: journals, stored rows with commit times or positions. Not judged: ties, rows without either, dead-lettered
    events, an A that was sent again after its acknowledgement and before its commit (the row may be that attempt's; a
    loss of the first one is `no_loss`'s), events without organization, events stored twice beyond their first row. A
    target that updates rows in place is unknown; one that claims no order, not applicable; no judged event, unknown.

    Does not prove: the order of events that were in flight at the same time, or across organizations.
    """

    name: ClassVar[str] = "order_kept"
    held: ClassVar[str] = "their order was kept"
    anomalies: ClassVar[tuple[Anomaly, ...]] = (Anomaly("overtaken", "misordered", "#3b82d6", rank=40),)
    columns: ClassVar[tuple[Column, ...]] = (
        Column(
            "out of order",
            "stored before an event of the same organization that had ended before it began",
            ("overtaken",),
            rank=40,
        ),
    )

    def judge(self, history: History) -> Finding:
        claimed, own = history.order_by, history.target.event is not None
        if claimed is None:
            return not_applicable(f"the target claims no order ({'event' if own else 'capabilities'}.order_by)")
        if claimed != ORGANIZATION and not own:
            return unknown(f"order is known by {ORGANIZATION} only, but the target orders by {claimed}")
        if (finding := unseen(history)) is not None:
            return finding
        if history.target.stored.updates:
            return unknown("the target updates rows in place (stored.updates), which hides when they were first stored")
        return _judged(history, _candidates(history))


def _candidates(history: History) -> pd.DataFrame:
    """Acknowledged, stored, not dead, of an organization; each with its first row."""
    assert history.events is not None
    assert history.stored is not None
    events, organization = history.events, history.events.organization.cat.codes.to_numpy()
    asked = (organization >= 0) & (events.outcome == "acknowledged").to_numpy()
    if history.dead is not None:
        asked &= history.dead_letters_of == 0
    number = history.stored.event.to_numpy()
    chosen = np.append(asked, False)[number]  # -1, no planned event: the appended one
    several = np.flatnonzero(chosen & (history.rows_of[number] > 1))
    chosen[several] = False
    chosen[_first_rows(history.stored.iloc[several])] = True
    rows = history.stored.loc[chosen, ["event", "committed_at", "position", "xid"]].reset_index(drop=True)
    number = rows.event.to_numpy()
    acknowledged = np.where(maybe_by_resend(history), NEVER, events.first_acknowledged)[number]
    began = events.first_invoked.to_numpy()[number]
    found: pd.DataFrame = rows.assign(organization=organization[number], acknowledged=acknowledged, first_invoked=began)
    return found


def _first_rows(rows: pd.DataFrame) -> Any:
    """The places of the first row of each event."""
    return rows.sort_values(["committed_at", "position"], kind="stable").drop_duplicates("event").index.to_numpy()


def _where(rows: pd.DataFrame, flags: pd.Series[bool]) -> pd.DataFrame:
    """Those rows; no copy where it is all of them."""
    return rows if flags.all() else rows[flags]


def _transactions(rows: pd.DataFrame) -> Any:
    """A number for each organization's part of a transaction."""
    found = np.multiply(rows.organization.to_numpy(), len(rows.xid.cat.categories), dtype=np.int64)
    found += rows.xid.cat.codes.to_numpy()
    return found


def _judged(history: History, rows: pd.DataFrame) -> Finding:
    between = _where(rows, rows.committed_at != NONE)
    within = _where(rows, (rows.position != NONE) & rows.xid.notna())
    found = [
        overtaken(between.organization, between.committed_at, between.acknowledged, between.first_invoked),
        overtaken(_transactions(within), within.position, within.acknowledged, within.first_invoked),
    ]
    judged = np.zeros(len(history.rows_of), dtype=bool)
    for rows_, f in zip((between, within), found, strict=True):
        judged[rows_.event.to_numpy()[f.judged]] = True
    pairs = {
        int(b): int(a)
        for rows_, f in zip((between, within), found, strict=True)
        for a, b in zip(rows_.event.to_numpy()[f.by], rows_.event.to_numpy()[f.late], strict=True)
    }
    counts: dict[str, int | float] = {"stored": len(rows), "judged": int(judged.sum()), "overtaken": len(pairs)}
    if pairs:
        shown = evenly(sorted(pairs.items()))
        named = rows[rows.event.isin({event for pair in shown for event in pair})].set_index("event")
        members = [_told(history, named.loc[a], named.loc[b]) for b, a in shown]
        why = plural.counted(
            len(pairs), "events are stored before one of the same organization that was acknowledged earlier"
        )
        return Finding(Verdict.FAILED, counts, {"overtaken": members}, why)
    if not judged.any():
        return unknown("no two stored events of one organization have both a known order and a known place")
    return Finding(Verdict.PASSED, counts)


def _told(history: History, first: Any, second: Any) -> str:
    """`A before B: sent at … and …; the second was stored first, …`; each is a row of `_candidates`."""
    ids = history.ids(np.array([first.name, second.name]))
    sent = f"sent at {told(history, first.first_invoked)} and {told(history, second.first_invoked)}"
    if isinstance(first.xid, str) and first.xid == second.xid:
        kept = f"the second was stored first, at position {second.position} before {first.position} in one transaction"
    else:
        at_a, at_b = history.clocks.to_monotonic(np.array([first.committed_at, second.committed_at])).tolist()
        kept = f"the second was stored first, at {told(history, at_b)} before {told(history, at_a)}"
    return f"{ids[0]} before {ids[1]}: {sent}; {kept}"
