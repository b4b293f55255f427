"""The split of one schedule among workers. Pure, so that each worker computes its own share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from shaketable.load.schedule import Planned


class Share(msgspec.Struct, frozen=True):
    """The part of a schedule that one worker sends."""

    index: int = 0
    of: int = 1

    @property
    def process(self) -> str:
        """The name of the worker in its journal."""
        return f"load-{self.index}"

    def part(self, plan: Iterable[Planned]) -> Iterator[Planned]:
        """The events of this share, in the order of the plan."""
        return (planned for index, planned in split(plan, self.of) if index == self.index)


#: The whole schedule, for a load from one process.
WHOLE = Share()


def split(plan: Iterable[Planned], of: int) -> Iterator[tuple[int, Planned]]:
    """Each event with the number of its worker.

    All events of an organization go to one worker: their order is judged by a single clock, and a worker can hold an
    event back until the previous one is settled. A new organization, and each event without one, goes to the worker
    with the fewest events so far.
    """
    sizes = [0] * of
    homes: dict[str, int] = {}
    for planned in plan:
        fewest = sizes.index(min(sizes))
        index = fewest if planned.organization is None else homes.setdefault(planned.organization, fewest)
        sizes[index] += 1
        yield index, planned
