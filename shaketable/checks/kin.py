"""Common traits of a lost event and others: organization, contents, place beside the stored ones, shape."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from shaketable import plural
from shaketable.checks.kinds import losses
from shaketable.checks.kinds.findings import Flags
from shaketable.evidence.history import History
from shaketable.evidence.history.columns import NEVER, Ints, first
from shaketable.evidence.history.persisted import NONE


@dataclass(frozen=True, eq=False)
class Kin:
    """The events of a history, compared with those that are missing; flags and numbers alone, since there are many."""

    history: History

    @property
    def events(self) -> pd.DataFrame:
        assert self.history.events is not None
        return self.history.events

    @cached_property
    def missing(self) -> Flags:
        """By number: acknowledged, and neither stored nor dead-lettered."""
        return losses.missing(self.history)

    @cached_property
    def acknowledged(self) -> Flags:
        """By number."""
        return losses.acknowledged(self.history)

    @cached_property
    def first_row(self) -> Ints:
        """By number: the place in `stored` of the event's first row with a transaction; NEVER without one."""
        assert self.history.stored is not None
        known = np.flatnonzero((self.history.stored.event >= 0) & self.history.stored.xid.notna())
        return first(known, self.history.stored.event.to_numpy()[known], len(self.events))

    def told(self, number: int) -> Iterator[str]:
        """What it shares, in sentences; none for an event that is not missing."""
        if self.history.stored is None or not self.missing[number]:
            return
        event = self.events.iloc[number]
        mine, alike = self._acknowledged("organization", number), self._acknowledged("shape_number", number)
        if isinstance(event.organization, str):
            yield self._count(mine, "its organization's")
            yield from self._neighbours(number, np.flatnonzero(mine))
        yield self._count(alike, "its shape's") + self._why(int(event.shape_number))
        stored = np.flatnonzero(mine & alike & ~self.missing)
        if len(stored) and isinstance(event.organization, str):
            others = plural.counted(len(stored), "stored events")
            earliest = stored[np.argmin(self._acknowledged_at(stored))]
            yield f"the same contents as {others}, such as {self.events.event_id.iloc[earliest]}"

    def _acknowledged(self, column: str, number: int) -> Flags:
        """By number: acknowledged, with the same value as that event."""
        return np.asarray(self.acknowledged & (self.events[column] == self.events[column].iloc[number]).to_numpy())

    def _acknowledged_at(self, numbers: Ints) -> Ints:
        return np.asarray(self.events.first_acknowledged.to_numpy()[numbers])

    def _count(self, mine: Flags, whose: str) -> str:
        acknowledged = plural.counted(int(mine.sum()), "acknowledged events")
        return f"of {whose} {acknowledged}, {int((mine & self.missing).sum()):,} missing"

    def _why(self, shape: int) -> str:
        found = (self.history.contents.shapes or {}).get(shape)
        return f" ({found.why})" if found else ""

    def _neighbours(self, number: int, mine: Ints) -> Iterator[str]:
        """The stored events of its organization that were acknowledged just before and just after it."""
        mine = mine[np.argsort(self._acknowledged_at(mine), kind="stable")]
        at = int(np.flatnonzero(mine == number)[0])
        known = self.first_row[mine] != NEVER
        for word, side in (
            ("before", np.flatnonzero(known[:at])[::-1]),
            ("after", at + 1 + np.flatnonzero(known[at + 1 :])),
        ):
            if len(side):
                yield f"its organization's stored event {word} it is {self._place(int(mine[side[0]]))}"

    def _place(self, number: int) -> str:
        """`the last of 40 in transaction 812`, by the positions that the transaction assigned, if it did."""
        assert self.history.stored is not None
        row = self.history.stored.iloc[self.first_row[number]]
        rows = np.flatnonzero((self.history.stored.xid == row.xid) & (self.history.stored.event >= 0))
        rows = rows[self.first_row[self.history.stored.event.to_numpy()[rows]] == rows]
        position, place = self.history.stored.position.to_numpy()[rows], "one"
        if position.min() not in (NONE, position.max()):
            place = {position.min(): "the first", position.max(): "the last"}.get(row.position, "one")
        return f"{'the only one' if len(rows) == 1 else f'{place} of {len(rows):,}'} in transaction {row.xid}"
