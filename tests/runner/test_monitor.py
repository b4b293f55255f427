"""Whether a target has recovered, and whether it has drained, as the monitor sees it at the end of a load."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from shaketable.clock import SECOND
from shaketable.evidence.backlog import Counts
from shaketable.load.journal_tail import Progress
from shaketable.runner.monitor import DRAINED_S, Monitor
from shaketable.target.transitions import FILE


def well(tmp_path: Path, health: Any, *states: str, breaker: bool = True, scored: bool = True) -> bool:
    """Of workers whose breakers went to these states."""
    names = [f"worker-{n}" for n in range(len(states))]
    for name, state in zip(names, states, strict=True):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / FILE).write_text(f'{{"to":"CLOSED"}}\n{{"to":"{state}"}}\n')
    claims = SimpleNamespace(breaker=None, capabilities=SimpleNamespace(breaker=breaker, health=scored))
    target = SimpleNamespace(manifest=claims, instances=dict.fromkeys(names))
    probe, none = SimpleNamespace(latest={"health": health}), cast(Any, None)
    return Monitor(
        none, none, none, none, (), cast(Any, target), none, cast(Any, probe), none, 0, tmp_path, none
    ).well()


@pytest.mark.parametrize(
    ("health", "states", "expected"),
    [
        (100, ("CLOSED", "CLOSED"), True),
        (100, ("CLOSED", "OPEN"), False),
        (100, ("HALF_OPEN",), False),
        (70, ("CLOSED",), False),
        (None, ("CLOSED",), False),
    ],
)
def test_target_is_well_when_every_breaker_is_closed_and_its_score_is_good(
    health: Any, states: tuple[str, ...], expected: bool, tmp_path: Path
) -> None:
    assert well(tmp_path, health, *states) is expected


def test_what_a_target_does_not_claim_is_not_waited_for(tmp_path: Path) -> None:
    assert well(tmp_path / "a", None, breaker=False, scored=False)
    assert well(tmp_path / "b", 100, breaker=True)


class Ending:
    """A load that ends once the target has drained, and a backlog that says the same again at its end."""

    def __init__(self, *counts: Counts) -> None:
        self.now, self.left, self.released_at = 0, list(counts), -1.0

    def sleep(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)

    def counts(self) -> Counts:
        return self.left.pop(0) if len(self.left) > 1 else self.left[0]

    def progress(self) -> Progress:
        return Progress(done=self.released_at >= 0)

    def target_drained(self) -> None:
        self.released_at = self.now / SECOND


class Unseeing(Monitor):
    def look(self, *_: Any) -> None:
        pass


def released_at(*counts: Counts) -> float:
    """Seconds after the load's last event at which resends in drain may go."""
    none, ending = cast(Any, None), cast(Any, Ending(*counts))
    ending.clock = SimpleNamespace(now=lambda: ending.now, sleep=ending.sleep)
    monitor = Unseeing(none, none, none, none, (), none, none, none, ending, 0, none, ending.clock)
    monitor.until_load_ends(100 * SECOND, ending)
    return float(ending.released_at)


def test_resends_in_drain_wait_until_the_queue_is_empty_and_nothing_changes() -> None:
    full, stored, all_stored = Counts(9, 1, 0), Counts(0, 9, 0), Counts(0, 10, 0)
    assert released_at(full, full, full, stored, all_stored, all_stored) == pytest.approx(0.5)


def test_resends_in_drain_do_not_wait_for_a_queue_that_is_never_empty_or_not_known() -> None:
    assert released_at(Counts(1, 1, 0)) == pytest.approx(DRAINED_S, abs=0.2)
    assert released_at(Counts(None, 1, 0)) == pytest.approx(0.1)
