"""The score: 100 when all is well, bounds while events cannot be stored, and back to 100."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from reference_impl.operations.health import HealthSnapshot, score, status
from reference_impl.queue.heartbeats import Heartbeat

WELL = Heartbeat("worker-1", "1", "CLOSED", [0], 20, 0, 0.0, 0, 0, 1000.0)


def told(worker: dict[str, Any] | None = None, **snapshot: Any) -> int:
    workers = [msgspec.structs.replace(WELL, **(worker or {}))]
    return score(HealthSnapshot(**{"queue_answers": True, "workers": workers, **snapshot}), 5.0)


@pytest.mark.parametrize(
    ("expected", "given"),
    [
        (100, {}),
        (100, {"depth": 100}),
        (89, {"depth": 110}),
        (80, {"depth": 100_000}),
        (100, {"worker": {"failed_rounds": 2}}),
        (75, {"worker": {"failed_rounds": 5}}),
        (70, {"worker": {"failed_rounds": 20}}),
        (97, {"worker": {"dead_letters_recent": 3, "dead_letters": 50}}),
        (100, {"worker": {"dead_letters": 50}}),
        (75, {"worker": {"dead_letters_recent": 99}, "depth": 100_000}),
        (60, {"worker": {"circuit_breaker_state": "OPEN"}}),
        (60, {"worker": {"circuit_breaker_state": "HALF_OPEN"}}),
        (100, {"depth": 1, "stalled_s": 4.9}),
        (60, {"depth": 1, "stalled_s": 5.1}),
        (50, {"workers": []}),
        (0, {"queue_answers": False}),
        (0, {"may_evict": True}),
        (0, {"accepts": False}),
    ],
)
def test_score(expected: int, given: dict[str, Any]) -> None:
    assert told(**given) == expected


def test_dead_letters_are_told_by_who_counted_them_last() -> None:
    """A worker without lanes counts no more: its old number is nobody's."""
    gave_up = msgspec.structs.replace(WELL, worker="worker-2", lanes=[], dead_letters=40, dead_letters_recent=15)
    counted = msgspec.structs.replace(WELL, dead_letters=2, dead_letters_recent=1, counted_at=1000.1)
    for workers in ([gave_up, counted], [counted, gave_up]):
        told = status(HealthSnapshot(queue_answers=True, workers=workers), 5.0)
        assert (told.dead_letter_count, told.health_score) == (2, 99)


def test_the_answer_names_what_the_contract_names() -> None:
    open_one = msgspec.structs.replace(
        WELL, worker="worker-2", circuit_breaker_state="OPEN", dead_letters=4, counted_at=1001.0
    )
    seen = HealthSnapshot(queue_answers=True, depth=7, workers=[WELL, open_one], losses=1)
    answer = msgspec.json.decode(msgspec.json.encode(status(seen, 5.0)))
    workers = answer.pop("workers")
    assert answer == {
        "healthScore": 60,
        "circuitBreakerState": "OPEN",
        "queueDepth": 7,
        "deadLetterCount": 4,
        "queueLosses": 1,
    }
    assert [w["worker"] for w in workers] == ["worker-1", "worker-2"]
