"""Malformed events of the mix that a target accepted and keeps under an id of its own: accepted, and not invented."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from shaketable.event import json_text
from shaketable.evidence.history.columns import count

if TYPE_CHECKING:
    from shaketable.event.kinds import EventKind
    from shaketable.evidence.history import History
    from shaketable.evidence.history.columns import Ints

#: Members of a malformed event that the target may have changed, other than its id: the malformed one.
CHANGED = 1


def not_adapted(history: History) -> tuple[list[str], int]:
    """The ids that no schedule knows, without those of adapted events; and how many those are.

    Each attempt at a malformed event that was not refused accounts for at most one row or dead letter, one whose
    content is the sent body, but for the id and one member. A body that is no JSON object accounts for any.
    """
    foreign = list(_foreign(history))
    left = _accepted(history) if foreign else Counter()
    bodies = {number: _members(history.kind, history.contents.sent(number)) for number in left}
    order = sorted(left, key=lambda number: bodies[number] is None)  # bodies that account for any row come last
    others = []
    for event_id, kept in foreign:
        stored = _members(history.kind, json_text.unwrapped(kept))
        found = next((number for number in order if left[number] and _fits(bodies[number], stored)), None)
        if found is None:
            others.append(event_id)
        else:
            left[found] -= 1
    return others, len(foreign) - len(others)


def _foreign(history: History) -> Iterator[tuple[str, bytes]]:
    """Rows, then dead letters, of events that were never planned: id and content."""
    assert history.stored is not None
    unread = history.unread(history.stored)[0]  # a row whose id nobody could read is nobody's
    if (history.stored.event < 0).any():
        rows = zip(history.stored.event_id, history.stored.event, history.contents.stored(), strict=True)
        yield from ((event_id, kept) for event_id, number, kept in rows if number < 0 and (event_id or not unread))
    if history.dead is not None:
        letters = history.dead[(history.dead.number < 0) & history.dead.unreadable.isna()]
        yield from ((event_id, bytes(kept)) for event_id, kept in zip(letters.event_id, letters.event, strict=True))


def _accepted(history: History) -> Counter[int]:
    """One malformed event of each shape → how many attempts at that shape may be stored under another id."""
    assert history.events is not None
    open_ = history.attempts.event[history.attempts.outcome != "refused"].to_numpy()
    under_its_own = history.rows_of + (0 if history.dead is None else history.dead_letters_of)
    taken: Ints = count(open_, len(history.events)) - under_its_own
    first: dict[int, int] = {}
    found: Counter[int] = Counter()
    for number in np.flatnonzero((history.events.expect == "refuse").to_numpy() & (taken > 0)).tolist():
        shape = int(history.events.shape_number.iloc[number])
        found[first.setdefault(shape, number)] += int(taken[number])
    return found


def _members(kind: EventKind, body: bytes | None) -> dict[str, Any] | None:
    """The members to compare, without the id; None for a body that is no JSON object, or is missing."""
    try:
        return None if body is None else kind.contents(body)
    except (ValueError, RecursionError):
        return None


def _fits(sent: dict[str, Any] | None, kept: dict[str, Any] | None) -> bool:
    if sent is None:
        return True
    return kept is not None and sum(kept.get(name) != value for name, value in sent.items()) <= CHANGED
