import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shaketable import rundir
from shaketable.errors import RunDirError
from shaketable.evidence.history import NEVER, Clocks, History
from shaketable.evidence.history.validity import why_invalid
from shaketable.op import Kind
from tests.support.book import JOURNAL, Book, Part, ns, us
from tests.support.histories import (
    absent,
    breaker,
    clock,
    dead,
    exited,
    fault,
    history,
    looked,
    phase,
    probe,
    queued,
    received,
    run_of,
    sent,
    stored,
    sunk,
    target,
    unreadable,
    unsent,
)


def known(table: pd.DataFrame | None) -> pd.DataFrame:
    """A table that is there."""
    assert table is not None
    return table


def outcome(*parts: Part) -> list[str]:
    return list(known(history(*parts).events).outcome)


def test_event_is_acknowledged_if_any_attempt_was() -> None:
    assert outcome(sent("a").refused(1).again(2).acknowledged(3).again(4).indeterminate(5)) == ["acknowledged"]


def test_else_indeterminate_if_any_attempt_was() -> None:
    assert outcome(sent("a").refused(1).again(2).indeterminate(3).again(4).refused(5)) == ["indeterminate"]


def test_intent_without_an_answer_is_indeterminate() -> None:
    assert outcome(sent("a")) == ["indeterminate"]
    assert outcome(sent("a").again(1).refused(2)) == ["indeterminate"]


def test_else_refused_and_unsent_without_attempt() -> None:
    assert outcome(sent("a").refused(1), unsent("b")) == ["refused", "unsent"]


def test_times_of_an_event_are_those_of_its_first_attempt_and_first_acknowledgement() -> None:
    tried = sent("a", at=2).indeterminate(3).again(4).acknowledged(5).again(6).acknowledged(7)
    event = known(history(tried).events).iloc[0]
    assert (event.first_invoked, event.first_acknowledged, event.attempts) == (ns(2), ns(5), 3)
    assert known(history(sent("a")).events).first_acknowledged[0] == NEVER


def test_what_was_not_recorded_is_none() -> None:
    bare = history(
        absent("schedule.jsonl", "stored.jsonl", "dead_letters.jsonl", "queue.jsonl", "faults.jsonl", "probes.jsonl")
    )
    unrecorded = (
        bare.events,
        bare.stored,
        bare.dead,
        bare.queue_length,
        bare.sinks,
        bare.probes,
        bare.transitions,
        bare.received,
    )
    assert unrecorded == (None,) * 8


def test_empty_folder_is_a_history_in_which_nothing_is_known(tmp_path: Path) -> None:
    from shaketable.rundir import RunDir

    assert History.load(RunDir(tmp_path)).events is None


def test_torn_last_line_is_none(tmp_path: Path) -> None:
    run = run_of([sent("a").acknowledged(1)], tmp_path)
    with (run / JOURNAL).open("ab") as journal:
        journal.write(b'{"process":"load-0","kind":"intent"')
    assert known(History.load(run).events).outcome.tolist() == ["acknowledged"]


def test_broken_line_is_named(tmp_path: Path) -> None:
    run = run_of([sent("a").acknowledged(1)], tmp_path)
    (run / "stored.jsonl").write_text('{"event_id": "a"}\n{"event_id": 7}\n')
    with pytest.raises(RunDirError, match=r"stored\.jsonl line 2"):
        History.load(run)


def test_attempt_at_an_event_that_no_schedule_knows_is_an_error(tmp_path: Path) -> None:
    run = run_of([sent("a").acknowledged(1)], tmp_path)
    (run / "schedule.jsonl").write_text("")
    with pytest.raises(RunDirError, match="event 0"):
        History.load(run)


def test_queue_is_the_sum_of_its_keys_and_unknown_if_one_is() -> None:
    assert history(queued(2), queued(3)).queue_length == 5
    assert history(queued(2), queued(None)).queue_length is None


def test_of_the_looks_at_a_fault_the_first_of_the_strongest_that_landed_is_its_witness() -> None:
    looks = [looked(6, 9, landed=False), looked(7, 3), looked(8, 5), looked(8.5, 5)]
    seen = history(fault(5, 9), *looks).faults[0]
    assert (seen.landed, seen.figure, seen.text) == (True, 5, "8")
    never = history(fault(5, 9, landed=False), looked(6, 2, landed=False)).faults[0]
    assert (never.landed, never.figure, never.text) == (False, 2, "6")


def test_fault_has_its_times_and_the_witness_that_landed() -> None:
    seen = history(fault(5, 9, blocks_store=True), fault(20, 30, landed=None))
    assert [f.healed for f in seen.faults] == [ns(9), ns(30)]
    assert [f.landed for f in seen.faults] == [True, None]
    assert seen.healed_at == ns(30)
    assert history().healed_at is None


def test_readings_transitions_and_evidence_are_columns() -> None:
    seen = history(
        probe(1, 2, health=None, memory_worker=5),
        breaker((0, "CLOSED"), (4, "OPEN")),
        sunk("worker-1", 3, by="worker-1.1"),
        received("worker-1.1", 7, ms=500),
        exited("worker-1", 9),
        phase("baseline", 0),
        phase("observe", 50),
        stored("a", at=8),
        clock(0),
        clock(100),
    )
    assert known(seen.probes).health.isna().all()
    assert known(seen.probes).memory_worker.tolist() == [5, 5]
    assert known(seen.transitions).to.tolist() == ["CLOSED", "OPEN"]
    assert known(seen.sinks).process.tolist() == ["worker-1"]
    assert known(seen.received).time.tolist() == [ns(7)]
    assert seen.commits.tolist() == [ns(8)]
    assert known(seen.processes).started.tolist() == [False]
    assert seen.phases == {"baseline": ns(0), "observe": ns(50)}


def test_wall_time_is_placed_between_clock_pairs() -> None:
    clocks = Clocks.of([(ns(0), us(0) * 1000), (ns(10), us(10) * 1000 + 10_000_000)])  # drifts by 10 ms
    assert clocks.to_monotonic(np.array([us(5) + 5_000])).tolist() == [ns(5)]
    assert clocks.to_monotonic(np.array([us(20) + 10_000])).tolist() == [ns(20)]
    assert clocks.problems() == []


def test_single_clock_pair_cannot_be_trusted() -> None:
    assert Clocks.of([(0, 0)]).problems()


@pytest.mark.parametrize(("error_ms", "doubts"), [(0.2, 0), (50, 0), (51, 1)])
def test_times_of_a_worker_elsewhere_count_as_far_as_its_clock_is_known(error_ms: float, doubts: int) -> None:
    def elsewhere(book: Book) -> None:
        book.op("journal-load-1.jsonl", "load-1", Kind.READY, 0, users=1, clock_offset=0, clock_error=100)
        book.op("journal-load-1.jsonl", "load-1", Kind.DONE, 9, clock_error=round(error_ms * 1_000_000))

    found = why_invalid(history(sent("a").acknowledged(1), elsewhere))
    assert len(found) == doubts
    assert all("51 ms" in doubt for doubt in found)


def test_recovery_of_toxiproxy_is_a_fault_after_those_of_the_timeline() -> None:
    def mended(book: Book) -> None:
        book.op(rundir.FAULTS, "toxiproxy", Kind.REPAIR, 20, 22, proxy="a-worker-1-redis", how="recreated")

    found = history(sent("a").acknowledged(1), fault(12, 20), mended)
    planned, recovery = found.faults
    assert (planned.number, recovery.number, recovery.at_s, recovery.until_s) == (0, 1, 10, 12)
    assert "a-worker-1-redis" in recovery.label
    assert found.healed_at == recovery.healed > planned.healed
    assert why_invalid(found) == []


def test_rows_whose_ids_nobody_could_read_make_the_run_unknown() -> None:
    assert why_invalid(history(sent("a").acknowledged(1), unreadable("stored.jsonl", "a"))) == []
    (doubt,) = why_invalid(history(sent("a").acknowledged(1), unreadable("dead_letters.jsonl", more=True)))
    assert doubt.startswith("some dead letters could not be read")


@pytest.mark.parametrize(
    ("kind", "facts", "times"),
    [
        ("clock_step", {"stored": {"sql": None, "url": "/stored"}}, 0),
        ("clock_drift", {"stored": {"sql": None, "command": ["print-rows"]}}, 0),
        ("clock_step", {}, 1),  # Postgres says when it committed
        ("clock_step", {"stored": {"sql": None, "url": "/received"}, "outbound": {"path": "/hook"}}, 1),  # we say
        ("kill", {"stored": {"sql": None, "url": "/stored"}}, 1),
    ],
)
def test_commit_times_by_a_clock_that_a_fault_moves_are_not_believed(kind: str, facts: Any, times: int) -> None:
    told = history(sent("a").acknowledged(1), stored("a", at=2), target(**facts), fault(1, 2, kind=kind))
    assert len(told.commits) == times


def test_columns_that_the_documentation_lists_are_those_of_a_history() -> None:
    found = history(sent("a").acknowledged(1), stored("a"), dead("a"))
    page = (Path(__file__).parents[2] / "docs/creating-a-check.md").read_text()
    for name in ("events", "attempts", "stored", "dead"):
        (row,) = re.findall(rf"^\| `{name}` \| (.*) \|$", page, re.M)
        columns = known(getattr(found, name)).dtypes
        assert re.findall(r"`(\w+)`", row) == columns.index.tolist()
        assert re.findall(r"`(\w+)`\\\*", row) == columns.index[columns == "category"].tolist()
