"""What was kept: stored rows, dead letters, and what the queue still holds."""

from __future__ import annotations

from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from shaketable import rundir
from shaketable.evidence.history.columns import Ints, blocks, table
from shaketable.op import Microseconds, Whole
from shaketable.rundir import RunDir

#: No position, or no commit time.
NONE = -1


class _Stored(msgspec.Struct, frozen=True, gc=False):
    event_id: str | None = None
    position: Whole | None = None
    xid: str | int | None = None
    committed_at: Microseconds | None = None  # µs since the epoch
    unreadable: str | None = None  # why nobody could read the row
    more: bool = False  # it stands for all that follow


class DeadLetter(msgspec.Struct, frozen=True):
    """One dead letter, as the target shows it: nothing of it is taken for granted."""

    event_id: str | None = None
    event: msgspec.Raw = msgspec.Raw(b"null")  # as JSON: decoding might lose what a number is
    cause: Any = None
    attempts: Any = None
    first_failed_at: Any = None
    last_failed_at: Any = None
    history: Any = None
    unreadable: str | None = None
    more: bool = False


class _Poison(msgspec.Struct, frozen=True):
    event_id: str
    refused: int = 0  # how often the store refused it


class _Queue(msgspec.Struct, frozen=True):
    key: str
    length: Whole | None = None


def stored(run: RunDir, ids: pd.Index) -> pd.DataFrame | None:
    """One row for each stored row; `event` is its number, -1 when no schedule knows it. None when not observed."""
    if not run.has(rundir.STORED):
        return None
    rows = table(
        blocks(run / rundir.STORED, _Stored),
        {
            "event_id": lambda row: (row.event_id or "").lower(),
            "position": _or_none("position"),
            "xid": lambda row: None if row.xid is None else str(row.xid),
            "committed_at": _or_none("committed_at"),
            "unreadable": attrgetter("unreadable"),
            "more": attrgetter("more"),
        },
        event_id=object,
        xid=object,
        unreadable=object,
        more=bool,
    )
    return rows.assign(event=known(rows.event_id, ids))


def _or_none(name: str) -> Any:
    value = attrgetter(name)
    return lambda row: NONE if value(row) is None else value(row)


def known(event_ids: Any, ids: pd.Index) -> Ints:
    """The number of each event, by its id; -1 when no schedule knows it."""
    return np.asarray(ids.get_indexer(pd.Index(event_ids, dtype=object)), dtype=np.int64)


def dead(run: RunDir, has_none: bool, ids: pd.Index) -> pd.DataFrame | None:
    """One row for each dead letter: none at all for a target that has none by its own word; None when not observed."""
    path = run / rundir.DEAD_LETTERS
    if not path.exists() and not (has_none and run.has(rundir.STORED)):
        return None
    letters = list(rundir.read_lines(path, DeadLetter)) if path.exists() else []
    columns = {name: [getattr(letter, name) for letter in letters] for name in DeadLetter.__struct_fields__}
    rows = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})
    rows["event_id"] = [str(event_id or "").lower() for event_id in rows.event_id]
    return rows.assign(event_id=rows.event_id.astype(object), number=known(rows.event_id, ids))


def queue(path: Path) -> dict[str, int | None] | None:
    """How much each key of the queue still held when it was observed, None for one that could not be read.

    None when it was not observed.
    """
    if not path.exists():
        return None
    found: dict[str, int | None] = {}
    for line in rundir.read_lines(path, _Queue):  # a key may be told twice: both count
        before = found.get(line.key, 0)
        found[line.key] = None if before is None or line.length is None else before + line.length
    return found


def poison(path: Path, ids: pd.Index) -> Ints | None:
    """The numbers of the events that the store refused on the harness's behalf; None when it poisoned none."""
    if not path.exists():
        return None
    lines = rundir.read_lines(path, _Poison)
    return known([line.event_id.lower() for line in lines if line.refused], ids)
