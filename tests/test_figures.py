"""The figures beside a verdict: what cannot be known is None, never 0."""

from __future__ import annotations

from shaketable.evidence.history.figures import figures
from tests.support.book import Part
from tests.support.histories import absent, fault, history, probe, sent, stored

#: Postgres is unavailable from 10 s to 20 s; 200 events wait, and are stored until 24 s, 50 a second.
WAITED: list[Part] = [
    *(sent(f"e{i}", at=i / 20).acknowledged(i / 20 + 0.01) for i in range(200)),
    *(stored(f"e{i}", at=20 + i / 50) for i in range(200)),
    fault(10, 20),
    probe(5, queue=3),
    probe(19, 20, queue=203),
    probe(22, queue=90),
    probe(24, 30, queue=0),
]


def of(*parts: Part) -> dict[str, float | None]:
    return figures(history(*parts))


def test_drain_rate_is_what_was_stored_from_the_longest_backlog_until_it_was_gone() -> None:
    found = of(*WAITED)
    assert (found["backlog_longest"], found["drained_per_s"]) == (203, 50)


def test_backlog_that_was_never_deep_or_went_at_once_shows_no_rate() -> None:
    assert of(*WAITED[:400], fault(10, 20), probe(5, 20, 22, queue=3))["drained_per_s"] is None
    assert (
        of(*WAITED[:400], fault(10, 20), probe(5, queue=3), probe(20, queue=203), probe(20.5))["drained_per_s"] is None
    )


def test_backlog_that_stays_shows_no_rate() -> None:
    assert of(*WAITED[:-2], probe(24, 30, queue=90))["drained_per_s"] is None


def test_rate_without_commit_times_is_not_known() -> None:
    rows = [stored(f"e{i}", at=None) for i in range(200)]
    assert of(*WAITED[:200], *rows, *WAITED[400:])["drained_per_s"] is None


def test_queue_that_nobody_could_read_has_no_length() -> None:
    assert of(*WAITED[:400], probe(5, 20, queue=None))["backlog_longest"] is None
    assert of(*WAITED[:400], absent("probes.jsonl"))["backlog_longest"] is None


def test_memory_is_the_most_that_all_processes_held_together() -> None:
    seen = [probe(at, memory_ingest=(40 + at) * 2**20, memory_worker=60 * 2**20) for at in (1, 5, 3)]
    assert of(*seen)["memory_peak_mib"] == 105


def test_memory_of_a_process_that_nobody_saw_leaves_the_sum_unknown() -> None:
    assert of(probe(1, memory_ingest=2**20, memory_worker=0))["memory_peak_mib"] is None
    assert of(probe(1))["memory_peak_mib"] is None
    assert of(absent("probes.jsonl"))["memory_peak_mib"] is None


def test_process_that_was_gone_for_a_while_is_no_gap() -> None:
    assert of(probe(1, memory_worker=2**20), probe(2, memory_worker=0))["memory_peak_mib"] == 1
