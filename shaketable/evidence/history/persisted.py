"""The persisted events: stored rows, dead letters, and the queue's remaining entries."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from shaketable import rundir
from shaketable.event.ids import normal
from shaketable.evidence.history.columns import CATEGORY, Columns, Ints, blocks
from shaketable.op import Microseconds, Whole
from shaketable.rundir import RunDir

#: The form in which ids are compared.
Key = Callable[[str], str]
#: A missing position or commit time.
NONE = -1


class _Stored(msgspec.Struct, frozen=True, gc=False):
    event_id: str | None = None
    position: Whole | None = None
    xid: str | int | None = None
    committed_at: Microseconds | None = None  # µs since the epoch
    unreadable: str | None = None  # the reason why the row could not be read
    more: bool = False  # this row stands for all further rows


class DeadLetter(msgspec.Struct, frozen=True):
    """One dead letter as the target returns it; any member may be missing or malformed."""

    event_id: str | None = None
    event: msgspec.Raw = msgspec.Raw(b"null")  # as JSON: decoding could change a number
    cause: Any = None
    attempts: Any = None
    first_failed_at: Any = None
    last_failed_at: Any = None
    history: Any = None
    unreadable: str | None = None
    more: bool = False


class _Poison(msgspec.Struct, frozen=True):
    event_id: str
    refused: int = 0  # number of refusals by the store


class _Queue(msgspec.Struct, frozen=True):
    key: str
    length: Whole | None = None
    parked: bool = False  # nobody retries these


def stored(run: RunDir, ids: pd.Index, key: Key = normal, timed: bool = True) -> pd.DataFrame | None:
    """One row per stored row; `event` is its number, or -1 if not in the schedule. None if not observed.

    Without `timed` no commit time is believed, as by the clock of a process that a fault has moved. An id is in memory
    once: a row of a planned event shares that of the schedule.
    """
    if not run.has(rundir.STORED):
        return None
    rows = Columns[_Stored](
        {
            "position": _or_none("position"),
            "xid": lambda row: None if row.xid is None else str(row.xid),
            "committed_at": _or_none("committed_at") if timed else lambda _: NONE,
            "unreadable": attrgetter("unreadable"),
            "more": attrgetter("more"),
        },
        xid=CATEGORY,
        unreadable=CATEGORY,
        more=bool,
    )
    names, numbers = [np.array([], dtype=object)], [np.array([], dtype=np.int64)]
    for block in blocks(run / rundir.STORED, _Stored):
        rows.add(block)
        given = np.array([key(row.event_id or "") for row in block], dtype=object)
        numbers.append(known(given, ids))
        names.append(given if not len(ids) else np.where(numbers[-1] >= 0, ids.to_numpy()[numbers[-1]], given))
    return rows.frame().assign(event_id=np.concatenate(names), event=np.concatenate(numbers))


def _or_none(name: str) -> Any:
    value = attrgetter(name)
    return lambda row: NONE if value(row) is None else value(row)


def known(event_ids: Any, ids: pd.Index) -> Ints:
    """The number of each event by its id; -1 if not in the schedule."""
    return np.asarray(ids.get_indexer(pd.Index(event_ids, dtype=object)), dtype=np.int64)


def dead(run: RunDir, has_none: bool, ids: pd.Index, key: Key = normal) -> pd.DataFrame | None:
    """One row per dead letter; no rows if the manifest has no dead letters; None if not observed."""
    path = run / rundir.DEAD_LETTERS
    if not path.exists() and not (has_none and run.has(rundir.STORED)):
        return None
    letters = list(rundir.read_lines(path, DeadLetter)) if path.exists() else []
    columns = {name: [getattr(letter, name) for letter in letters] for name in DeadLetter.__struct_fields__}
    rows = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})
    rows["event_id"] = [key(str(event_id or "")) for event_id in rows.event_id]
    return rows.assign(event_id=rows.event_id.astype(object), number=known(rows.event_id, ids))


def queue(path: Path, parked: bool = False) -> dict[str, int | None] | None:
    """The length of each queue key at the observation, None for an unreadable key; None if not observed.

    Parked events, which nobody retries, are no part of the queue; with `parked` these alone.
    """
    if not path.exists():
        return None
    found: dict[str, int | None] = {}
    for line in rundir.read_lines(path, _Queue):  # a key may occur twice: both count
        if line.parked != parked:
            continue
        before = found.get(line.key, 0)
        found[line.key] = None if before is None or line.length is None else before + line.length
    return found


def poison(path: Path, ids: pd.Index, key: Key = normal) -> Ints | None:
    """The numbers of the events that the store refused because of a fault; None without such a fault."""
    if not path.exists():
        return None
    lines = rundir.read_lines(path, _Poison)
    return known([key(line.event_id) for line in lines if line.refused], ids)
