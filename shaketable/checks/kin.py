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
from shaketable.evidence.history.persisted import NONE


@dataclass(frozen=True, eq=False)
class Kin:
    """The events of a history, compared with those that are missing."""

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
    def acknowledged(self) -> pd.DataFrame:
        """The acknowledged events by their number, in the order of their acknowledgements."""
        told = ["event_id", "organization", "shape_number", "first_acknowledged"]
        mine = self.events.loc[losses.acknowledged(self.history), told]
        return mine.assign(missing=self.missing[mine.index]).sort_values("first_acknowledged", kind="stable")

    @cached_property
    def transactions(self) -> pd.DataFrame:
        """The first row of each stored event, by its number: `xid`, `position`, and the bounds of its transaction."""
        assert self.history.stored is not None
        rows = self.history.stored[(self.history.stored.event >= 0) & self.history.stored.xid.notna()]
        rows = rows.drop_duplicates("event")[["event", "xid", "position"]]
        position = rows.groupby("xid", observed=True).position
        told = rows.assign(
            first=position.transform("min"), last=position.transform("max"), of=position.transform("size")
        )
        return told.set_index("event")

    def told(self, number: int) -> Iterator[str]:
        """What it shares, in sentences; none for an event that is not missing."""
        if self.history.stored is None or not self.missing[number]:
            return
        event = self.events.iloc[number]
        if isinstance(event.organization, str):
            yield self._count("organization", event.organization, "its organization's")
            yield from self._neighbours(number, event.organization)
        yield self._count("shape_number", event.shape_number, "its shape's") + self._why(int(event.shape_number))
        same = self.acknowledged[self.acknowledged.shape_number == event.shape_number]
        stored = same[~same.missing & (same.organization == event.organization)]
        if len(stored):
            others = plural.counted(len(stored), "stored events")
            yield f"the same contents as {others}, such as {stored.event_id.iloc[0]}"

    def _count(self, column: str, value: object, whose: str) -> str:
        mine = self.acknowledged[self.acknowledged[column] == value]
        return f"of {whose} {plural.counted(len(mine), 'acknowledged events')}, {int(mine.missing.sum()):,} missing"

    def _why(self, shape: int) -> str:
        found = (self.history.contents.shapes or {}).get(shape)
        return f" ({found.why})" if found else ""

    def _neighbours(self, number: int, organization: str) -> Iterator[str]:
        """The stored events of its organization that were acknowledged just before and just after it."""
        mine = self.acknowledged[self.acknowledged.organization == organization]
        at = int(np.flatnonzero(mine.index.to_numpy() == number)[0])
        known = mine.index.isin(self.transactions.index)
        for word, side in (
            ("before", np.flatnonzero(known[:at])[::-1]),
            ("after", at + 1 + np.flatnonzero(known[at + 1 :])),
        ):
            if len(side):
                yield f"its organization's stored event {word} it is {self._place(int(mine.index[side[0]]))}"

    def _place(self, number: int) -> str:
        """`the last of 40 in transaction 812`, by the positions that the transaction assigned, if it did."""
        row, place = self.transactions.loc[number], "one"
        if row["first"] not in (NONE, row["last"]):
            place = {row["first"]: "the first", row["last"]: "the last"}.get(row.position, "one")
        return f"{'the only one' if row.of == 1 else f'{place} of {row.of:,}'} in transaction {row.xid}"
