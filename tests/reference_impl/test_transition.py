"""Transitions are on disk before they take effect, one whole line each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from reference_impl.resilience.circuit_breaker import CLOSED, FILE, OPEN, Breaker, Transitions
from reference_impl.settings import Settings


def lines(folder: Path) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in (folder / FILE).read_bytes().splitlines()]


def test_a_transition_is_on_disk_before_it_takes_effect(tmp_path: Path) -> None:
    transitions = Transitions(str(tmp_path), "worker-1", "3")
    states: list[tuple[str, int]] = []

    def listen(before: str | None, after: str, reason: str) -> None:
        transitions.record(before, after, reason)
        if before is not None:
            states.append((breaker.state, len(lines(tmp_path))))

    breaker = Breaker(Settings(breaker_failure_threshold=1), listen)
    breaker.failed(breaker.acquire_permit(), "08006")
    assert states == [(CLOSED, 2)]
    assert breaker.state == OPEN
    first, second = lines(tmp_path)
    assert (first["process"], first["incarnation"], first["seq"], first["from"], first["to"]) == (
        "worker-1",
        "3",
        0,
        None,
        CLOSED,
    )
    assert (second["seq"], second["from"], second["to"]) == (1, CLOSED, OPEN)
    assert first["at"].endswith("Z")
    assert first["monotonic_ns"] < second["monotonic_ns"]
    assert "08006" in second["reason"]


def test_a_disk_that_refuses_leaves_a_gap_and_delays_nothing(tmp_path: Path) -> None:
    blocked = tmp_path / "state"
    blocked.write_text("a file where a folder should be")
    transitions = Transitions(str(blocked), "worker-1", "1")
    transitions.record(None, CLOSED, "start")
    blocked.unlink()
    transitions.record(CLOSED, OPEN, "why")
    assert [line["seq"] for line in lines(blocked)] == [1]


def test_a_new_incarnation_appends(tmp_path: Path) -> None:
    for incarnation in ("1", "2"):
        transitions = Transitions(str(tmp_path), "worker-1", incarnation)
        transitions.record(None, CLOSED, "start")
    assert [line["incarnation"] for line in lines(tmp_path)] == ["1", "2"]
