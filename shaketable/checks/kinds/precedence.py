"""Inversions of real-time order, found in n log n: no pair is enumerated, and none is missed."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from shaketable.evidence.history.columns import Ints

#: Rows that are searched at once, unless one group has more.
PART = 1 << 18


class Overtaken(NamedTuple):
    """`late[i]`, a row number, has a place before that of `by[i]`, which ended before `late[i]` began."""

    judged: Any  # by row: it began after another row of its group, with another place, had ended
    late: Ints
    by: Ints  # of those with the farthest place, one


def overtaken(group: Any, place: Any, ended: Any, began: Any) -> Overtaken:
    """For every row: is there one of its group that ended before it began, but has a later place?

    Groups are whole numbers. They are searched some at a time, so that the memory for it stays bounded.
    """
    columns = [np.asarray(column) for column in (group, place, ended, began)]
    judged, late, by = np.zeros(len(columns[0]), dtype=bool), list[Ints](), list[Ints]()
    for rows in _parts(columns[0]):
        found = _overtaken(*(column[rows] for column in columns))
        judged[rows] = found.judged
        late.append(rows[found.late])
        by.append(rows[found.by])
    return Overtaken(judged, np.concatenate(late), np.concatenate(by))


def _parts(group: Any) -> list[Ints]:
    """Row numbers, with all rows of a group in one part; at least one part."""
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    ends = np.append(ordered[1:] != ordered[:-1], True)[: len(order)]  # flags: numbers would take eight times as much
    cuts = {at + int(ends[at - 1 :].argmax()) for at in range(PART, len(order), PART)}
    return np.split(order, sorted(cuts - {len(order)}))


def _overtaken(group: Any, place: Any, ended: Any, began: Any) -> Overtaken:
    """The same for groups that fit into memory several times.

    Rows of each group are sorted by their end; a running maximum of places then answers for every row at once: the rows
    that ended before it began are a prefix. Places and times become ranks, so that one number orders (group, rank).
    """
    groups, places = _ranks(group), _ranks(place)
    times = _ranks(np.concatenate([ended, began]))
    ends, begins = times[: len(groups)], times[len(groups) :]
    span, width = 2 * len(groups) + 1, len(groups) + 1
    order = np.argsort(groups * span + ends, kind="stable")
    prefix = np.searchsorted(
        (groups * span + ends)[order], groups * span + begins
    )  # rows before this place ended earlier
    last = np.maximum(prefix - 1, 0)
    preceded = (prefix > 0) & (groups[order][last] == groups) if len(groups) else np.zeros(0, dtype=bool)

    highest = np.maximum.accumulate(places[order] + groups[order] * width)[last] - groups * width
    lowest = np.minimum.accumulate(places[order] - groups[order] * width)[last] + groups * width
    late = np.flatnonzero(preceded & (highest > places))
    judged = preceded & ((highest != places) | (lowest != places))
    return Overtaken(judged, late, order[_argmax(places[order] + groups[order] * width)[last[late]]])


def _ranks(values: Any) -> Ints:
    return np.unique(np.asarray(values, dtype=np.int64), return_inverse=True)[1].astype(np.int64)


def _argmax(values: Ints) -> Ints:
    """Where the running maximum was last raised."""
    running = np.maximum.accumulate(values)
    raised = np.append(True, running[1:] > running[:-1])[: len(values)]
    return np.maximum.accumulate(np.where(raised, np.arange(len(values)), 0))
