"""Pandas tables of a history."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from shaketable.clock import SECOND
from shaketable.evidence.history import NEVER, History
from shaketable.evidence.history.columns import Ints
from shaketable.evidence.history.load import OUTCOMES
from shaketable.report.tables.table import Table, of

#: Rows of the delivery table, in order; every planned event is in one of them.
CLASSES = ("independent", "ordered", "twin", "malformed", "either way")


def table(frame: pd.DataFrame) -> Table:
    """A frame whose index names its rows, as a table for any form."""
    return of(frame.rename_axis("row").reset_index().to_dict(orient="records"))  # type: ignore[arg-type]


def classes(events: pd.DataFrame) -> pd.Series[str]:
    """The kind of each event: malformed ones first, then twins, then those of ordered organizations."""
    kinds = np.select(
        [events.expect == "refuse", events.expect == "either", events.twin, events.ordered],
        ["malformed", "either way", "twin", "ordered"],
        "independent",
    )
    return pd.Series(kinds, index=events.index)


def delivery(history: History) -> pd.DataFrame:
    """The fate of the events, by class and in all, without the columns of missing observations."""
    assert history.events is not None
    events = history.events
    facts = pd.DataFrame({"scheduled": np.ones(len(events), dtype=bool)})
    for outcome in OUTCOMES:
        facts[outcome] = (events.outcome == outcome).to_numpy()
    facts["given up"] = events.given_up.to_numpy()
    for name, flags in _kept(history).items():
        facts[name] = flags
    by_class = facts.groupby(classes(events).to_numpy()).sum().reindex(CLASSES, fill_value=0)
    foreign = pd.DataFrame({name: [_foreign(history, str(name))] for name in facts}, index=["never planned"])
    return pd.concat([by_class, foreign, (by_class.sum() + foreign.sum()).to_frame("all").T])


def _kept(history: History) -> dict[str, np.ndarray]:
    """Flags by column: stored, dead, missing (acknowledged, neither), doubled, invented."""
    assert history.events is not None
    if history.stored is None:
        return {}
    outcome, stored = history.events.outcome, history.rows_of > 0
    dead = history.dead_letters_of > 0 if history.dead is not None else np.zeros_like(stored)
    to_keep = ((outcome == "acknowledged") & (history.events.expect != "refuse")).to_numpy()
    nobody_sent = outcome.isin(["refused", "unsent"]).to_numpy()
    return {
        "stored": stored,
        "dead": dead,
        "missing": to_keep & ~stored & ~dead,
        "doubled": history.rows_of > 1,
        "invented": (stored | dead) & nobody_sent,
    }


def _foreign(history: History, column: str) -> int:
    """How many rows or dead letters belong to no planned event."""
    stored = 0 if history.stored is None else int((history.stored.event < 0).sum())
    dead = 0 if history.dead is None else int((history.dead.number < 0).sum())
    return {"stored": stored, "dead": dead, "invented": stored + dead}.get(column, 0)


def rates(history: History) -> pd.DataFrame:
    """Events a second, by phase: meant, acknowledged, stored; and the intake latency from the intended time."""
    assert history.events is not None
    began = sorted(history.phases.items(), key=lambda phase: phase[1])
    rows = {name: _rates(history, begin, end) for (name, begin), (_, end) in pairwise(began) if end > begin}
    return pd.DataFrame.from_dict(rows, orient="index")


def _rates(history: History, begin: int, end: int) -> dict[str, float]:
    assert history.events is not None
    events, seconds = history.events, (end - begin) / SECOND
    due = events[events.due.between(begin, end - 1)]
    answered = due[due.first_acknowledged != NEVER]
    latency = (answered.first_acknowledged - answered.due) / 1e6
    return {
        "seconds": round(seconds, 1),
        "meant/s": round(len(due) / seconds, 1),
        "acknowledged/s": round(_within(events.first_acknowledged.to_numpy(), begin, end) / seconds, 1),
        "stored/s": round(_within(_stored_at(history), begin, end) / seconds, 1),
        "intake p50 ms": round(float(latency.quantile(0.5)), 1),
        "intake p99 ms": round(float(latency.quantile(0.99)), 1),
    }


def _within(times: Ints, begin: int, end: int) -> int:
    return int(((times >= begin) & (times < end)).sum())


def _stored_at(history: History) -> Ints:
    """When each row was committed, where that is known."""
    if history.stored is None:
        return np.array([], dtype=np.int64)
    known = history.stored.committed_at[history.stored.committed_at >= 0].to_numpy()
    return history.clocks.to_monotonic(known)
