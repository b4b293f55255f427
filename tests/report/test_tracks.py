"""The tracks: what is binned, what is carried on, and what lasts how long."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shaketable.report.page import tracks
from shaketable.report.page.bins import MOST, Bins, carried
from shaketable.report.page.recording import Recording
from shaketable.report.page.spans import DrawnSpan, in_rows
from shaketable.report.page.tracks import Tracks
from tests.support.book import Part
from tests.support.histories import absent, breaker, every, exited, fault, phase, probe, run_of, sent


def tracks_of(folder: Path, *parts: Part) -> Tracks:
    return tracks.of(Recording.load(run_of(parts, folder)))


@pytest.mark.parametrize(("seconds", "width"), [(1, 0.25), (47.8, 0.25), (150, 0.25), (151, 0.5), (3600, 10)])
def test_bins_are_as_fine_as_can_be_drawn(seconds: float, width: float) -> None:
    assert Bins.over(seconds).width == width


@pytest.mark.parametrize("seconds", [0.01, 1, 3600, 86_400, 1e9])
def test_bins_cover_the_run_and_are_never_too_many(seconds: float) -> None:
    bins = Bins.over(seconds)
    assert bins.count <= MOST
    assert bins.edges[-1] >= seconds


def test_rate_counts_a_second() -> None:
    assert list(Bins(0.5, 3).rate([0.1, 0.2, 1.2])) == [4.0, 0.0, 2.0]


def test_bin_without_a_value_is_unknown() -> None:
    found = Bins(1.0, 3).reduce([0.5, 0.6, 2.5, 9.0, -1.0], [1, 3, 7, 8, 9], "max")
    assert np.array_equal(found, [3, np.nan, 7], equal_nan=True)


def test_reading_stands_only_for_a_while() -> None:
    found = carried(np.array([5.0, np.nan, np.nan, np.nan]), seconds=2.0, width=1.0)
    assert np.array_equal(found, [5, 5, 5, np.nan], equal_nan=True)


def test_growth_is_unknown_where_nobody_looked() -> None:
    found = Bins(1.0, 4).slope([0.0, 1.0, 2.0], [0, 10, 40], 2)
    assert np.array_equal(found, [10, 30, np.nan, np.nan], equal_nan=True)


def test_growth_over_an_outage_is_not_spread_over_it() -> None:
    times, totals = [0.0, 1.0, 2.0, 3.0, 4.0, 5.5, 7.0], [0, 10, np.nan, np.nan, np.nan, 100, 130]
    found = Bins(1.0, 7).slope(times, totals, 2)
    assert np.array_equal(found, [10, np.nan, np.nan, np.nan, np.nan, np.nan, 20], equal_nan=True)
    assert list(Bins(7.0, 1).slope(times, totals, 2)) == [130 / 7]


def test_total_that_shrinks_is_no_negative_rate() -> None:
    assert list(Bins(1.0, 1).slope([0.0, 1.0], [10, 0], 2)) == [0]


def test_latency_counts_from_the_intended_time_to_the_first_acknowledgement(tmp_path: Path) -> None:
    late = sent("a", at=1.0).indeterminate(2.0).again(3.0).acknowledged(4.0).again(5.0, "after_ack").acknowledged(6.0)
    found = tracks_of(tmp_path, late)
    assert found.p99 is not None
    assert np.nanmax(found.p99) == pytest.approx(3000)
    assert np.flatnonzero(~np.isnan(found.p99)).tolist() == [int(1.0 / found.bins.width)]


def test_event_acknowledged_twice_counts_once(tmp_path: Path) -> None:
    found = tracks_of(tmp_path, sent("a").acknowledged(1.0).again(2.0, "after_ack").acknowledged(3.0))
    assert found.acknowledged is not None
    assert found.acknowledged.sum() * found.bins.width == 1


def test_no_answer_is_a_health_of_nothing(tmp_path: Path) -> None:
    found = tracks_of(tmp_path, probe(1, 2), probe(3, answered=False, health=None))
    assert tracks.lowest(found.health) == 0
    assert tracks.peak(found.silent) == 1


def test_target_without_a_queue_has_no_backlog(tmp_path: Path) -> None:
    assert tracks_of(tmp_path, probe(1, 2, queue=None)).backlog is None


def test_run_without_a_journal_still_shows_what_was_offered(tmp_path: Path) -> None:
    found = tracks_of(tmp_path, sent("a", at=2), absent("journal-load-0.jsonl"))
    assert found.acknowledged is None
    assert tracks.peak(found.offered)


def test_phases_last_until_the_next_begins(tmp_path: Path) -> None:
    found = tracks_of(tmp_path, phase("prepare", -5), phase("baseline", 0), phase("shake", 4), phase("observe", 20))
    assert [(span.label, span.begin, span.end) for span in found.phases] == [("baseline", 0, 4), ("shake", 4, 20)]


def test_breaker_of_a_killed_process_has_no_state(tmp_path: Path) -> None:
    again = breaker((60, "CLOSED"), incarnation=2)
    found = tracks_of(tmp_path, breaker((0, "CLOSED"), (20, "OPEN")), exited("worker-1", 50), again)
    assert found.breakers is not None
    assert [(s.label, s.begin, s.end) for s in found.breakers["worker-1"]] == [
        ("CLOSED", 0, 20),
        ("OPEN", 20, 50),
        ("CLOSED", 60, pytest.approx(63)),
    ]


def test_axis_ends_soon_after_the_last_change_and_not_with_an_idle_drain(tmp_path: Path) -> None:
    seen = [probe(at, stored=min(at, 40), queue=max(0, 40 - at)) for at in every(0.5, 0, 100)]
    found = tracks_of(tmp_path, sent("a", at=20).acknowledged(21), *seen)
    assert found.end == pytest.approx(42)
    assert found.watched == 100


def test_axis_lasts_as_long_as_the_backlog_changes(tmp_path: Path) -> None:
    seen = [probe(at, queue=at) for at in every(0.5, 0, 100)]
    assert tracks_of(tmp_path, *seen).end == 100


def test_fault_that_was_never_healed_lasts_to_the_end(tmp_path: Path) -> None:
    run = run_of([fault(20, 30)], tmp_path)
    kept = [line for line in (run / "faults.jsonl").read_text().splitlines() if '"heal"' not in line]
    (run / "faults.jsonl").write_text("\n".join(kept) + "\n")
    assert [(span.begin, span.end) for span in tracks.of(Recording.load(run)).faults] == [(20, 100)]


def test_overlapping_faults_have_rows_of_their_own() -> None:
    spans = [DrawnSpan(0, 10, "a"), DrawnSpan(5, 8, "b"), DrawnSpan(8, 12, "c"), DrawnSpan(10, 12, "d")]
    assert {span.label: span.row for span in in_rows(spans)} == {"a": 0, "b": 1, "c": 1, "d": 0}
