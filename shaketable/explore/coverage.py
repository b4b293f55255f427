"""Coverage: the states that trials passed through, so that you see what was never exercised.

The search does not use it: it is a report, not a guide.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from shaketable.explore.states import BANDS, UNKNOWN, State
from shaketable.explore.trial import Played
from shaketable.results.result import Covered


class CoverageColumn(NamedTuple):
    """Where a kind of fault was seen: the breaker's state and the backlog's band."""

    breaker: str
    backlog: str


@dataclass
class Coverage:
    """Counts trials by state."""

    states: Counter[State] = field(default_factory=Counter)

    def note(self, played: Played) -> None:
        """Count the states that a trial passed through."""
        self.states.update(played.states)

    def add(self, rows: Sequence[Covered]) -> None:
        """Add the counts of another exploration."""
        self.states.update({State(row.faults, row.breaker, row.backlog, row.phase): row.trials for row in rows})

    def rows(self) -> list[Covered]:
        """Every state that was seen, most often first."""
        found = sorted(self.states.items(), key=lambda pair: (-pair[1], pair[0]))
        return [Covered(*state, count) for state, count in found]

    def columns(self) -> list[CoverageColumn]:
        """Every pair of a breaker's state and a band that was seen."""
        return sorted({CoverageColumn(state.breaker, state.backlog) for state in self.states}, key=_order)

    def table(self, kinds: list[str]) -> list[tuple[str, list[int]]]:
        """For each kind of fault, in how many trials it was active in each of the columns; 0 is never."""
        columns = self.columns()
        return [(kind, [self._count(kind, column) for column in columns]) for kind in kinds]

    def _count(self, kind: str, cell: CoverageColumn) -> int:
        """The largest count of a state with it: one trial may be in several of them."""
        counts = (
            count
            for state, count in self.states.items()
            if kind in state.faults and (state.breaker, state.backlog) == cell
        )
        return max(counts, default=0)


def _order(cell: CoverageColumn) -> tuple[str, int]:
    return cell.breaker, [*BANDS, UNKNOWN].index(cell.backlog)
