"""The survey: a run without a fault, in which the relays note every message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shaketable.checks.check import Verdict
from shaketable.crash_points import trial
from shaketable.crash_points.point import How, Point
from shaketable.crash_points.relay import Seen
from shaketable.crash_points.relayed import RelayedServers
from shaketable.errors import HarnessError, TargetError
from shaketable.report import judging
from shaketable.runner import phases
from shaketable.runner.order import Order
from shaketable.runner.progress import SilentReporter, Status


@dataclass(frozen=True)
class Survey:
    """All points in the order in which they first passed under load, and what could not be read."""

    points: tuple[Point, ...]
    counts: dict[Point, int]
    opaque: tuple[tuple[str, str, str], ...] = ()  # process, service, why


class _Noting(SilentReporter):
    """Marks the relays when the load begins, and copies what they saw until the last event was stored."""

    def __init__(self, servers: RelayedServers) -> None:
        super().__init__()
        self._servers, self._marked = servers, False
        self.seen: dict[Point, Seen] = {}

    def update(self, status: Status) -> None:  # noqa: ARG002
        relays = list(self._servers.relays.values())
        if not self._marked:
            for relay in relays:
                relay.mark()
            self._marked = True
        else:  # not later: a process that ends in good order says farewell, and no kill meets it there
            self.seen = {point: seen for relay in relays for point, seen in dict(relay.seen).items()}


def take(how: How, seed: int, target: Path, runs: Path, servers: RelayedServers, rate: float = trial.RATE) -> Survey:
    """Play it.

    Raises TargetError when the target fails without any fault: no point would say more; and HarnessError when the run
    was cut short, since it may lack points.
    """
    noting = _Noting(servers)
    run = phases.run(Order(trial.scenario(None, how, seed, rate), target, runs, stack=servers), noting)
    doc = judging.judge(run)
    if doc.verdict is Verdict.FAILED:
        why = "; ".join(found.why for found in doc.checks.values() if found.required and found.verdict is doc.verdict)
        raise TargetError(f"the target fails without a fault, so no point can be judged: {why} (see {run.path})")
    if doc.reasons:
        raise HarnessError(f"the run without a fault cannot be judged: {'; '.join(doc.reasons)} (see {run.path})")
    found = in_order({point: seen.first_at for point, seen in noting.seen.items()})
    opaque = {(relay.process, *what) for relay in servers.relays.values() for what in relay.opaque}
    return Survey(tuple(found), {point: noting.seen[point].count for point in found}, tuple(sorted(opaque)))


def in_order(first_at: Mapping[Point, int]) -> list[Point]:
    """By the time of the first message, which comes before its reply: one was under way when the load began."""
    began = {
        (point.process, point.service, point.message): at for point, at in first_at.items() if point.when == "before"
    }

    def key(point: Point) -> tuple[int, bool]:
        at = began.get((point.process, point.service, point.message), 0)
        return max(at, first_at[point]), point.when == "after"

    return sorted(first_at, key=key)
