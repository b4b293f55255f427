"""The life of an event, as a run's files tell it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from shaketable import checks, rundir
from shaketable.checks import NoDuplicates, NoLoss, OrderKept
from shaketable.checks.check import Finding, Verdict
from shaketable.checks.event_trace import EventTrace, of_findings
from shaketable.checks.verdict import judge_history, judge_run
from shaketable.cli.explain import explain, explain_event
from shaketable.errors import InputError
from shaketable.event.ids import trace_of
from shaketable.report.page.page import report
from tests.support.book import Book, Part, us
from tests.support.histories import (
    absent,
    asks,
    breaker,
    dead,
    exited,
    fault,
    history,
    probe,
    queued,
    run_of,
    sent,
    stored,
)

LOST = sent("lost", at=3).acknowledged(3.25)
OTHERS = (sent("a", at=1).acknowledged(1.5), stored("a", at=2))
SEEN = probe(3.5, 4, queue=7), probe(4.5, 5, queue=0)


def lives(*parts: Part) -> dict[str, EventTrace]:
    found = history(*parts)
    findings = {check.name: check.judge(found) for check in (NoLoss(), NoDuplicates(), OrderKept())}
    return {life.event_id: life for life in of_findings(found, findings, checks.anomalies())}


def test_run_in_which_all_is_well_tells_no_life() -> None:
    assert lives(*OTHERS) == {}
    assert lives(absent("schedule.jsonl")) == {}
    assert lives(*OTHERS, absent("stored.jsonl")) == {}


def test_last_stage_in_the_trace_of_a_lost_event_is_shown_and_a_missing_one_is_not() -> None:
    def traced(book: Book) -> None:
        book.line(rundir.TRACES, trace=trace_of("lost"), stage="intake: queue", ended_at=us(3.2))

    (life,) = lives(*OTHERS, LOST, *SEEN, traced).values()
    assert life.story[-1] == "last stage in its trace: intake: queue, to 3.20 s"
    (life,) = lives(*OTHERS, sent("other", at=3).acknowledged(3.25), *SEEN, traced).values()
    assert "trace" not in life.sentence


def test_lost_event_is_followed_to_where_it_was_last_seen() -> None:
    (life,) = lives(*OTHERS, LOST, *SEEN).values()
    assert life.fate == "lost"
    assert life.story == ["meant for 3.00 s", "attempt 1 at 3.00 s: acknowledged (202) at 3.25 s"]
    assert life.last_seen == (
        "at the intake, acknowledged at 3.25 s; "
        "at 4.50 s the queue was empty: by then a worker had it, or it never was there"
    )
    assert life.meanwhile == []
    assert life.at == 3.25


def test_queue_that_nobody_knows_or_that_was_never_empty_leaves_it_open() -> None:
    assert "nobody knows the queue" in lives(*OTHERS, LOST)["lost"].last_seen
    assert "never empty" in lives(*OTHERS, LOST, queued(3), probe(4, queue=3))["lost"].last_seen


def test_what_was_broken_from_then_on_is_named_and_what_came_before_is_not() -> None:
    parts = fault(1, 2, "earlier"), fault(2, 4, "redis away"), exited("worker-1", 2.5), exited("worker-2", 7)
    (life,) = lives(*OTHERS, LOST, *SEEN, *parts).values()
    assert life.meanwhile == ["redis away, 2.00 s to 4.00 s", "worker-2 ended at 7.00 s"]


def test_of_a_stored_event_what_was_broken_after_it_was_stored_is_not_named() -> None:
    doubled = sent("d", at=1).acknowledged(2), stored("d", at=3), stored("d", at=4)
    (life,) = lives(*doubled, fault(3.5, 5, "in time"), fault(6, 8, "later")).values()
    assert life.meanwhile == ["in time, 3.50 s to 5.00 s"]


def test_doubled_event_tells_every_attempt_and_row() -> None:
    doubled = sent("d", at=1).indeterminate(2, 504).again(3).acknowledged(3.5)
    (life,) = lives(doubled, stored("d", at=2.5, xid="7", position=1), stored("d", at=4, xid=None)).values()
    assert life.story == [
        "meant for 1.00 s",
        "attempt 1 at 1.00 s: indeterminate (504) at 2.00 s",
        "attempt 2 at 3.00 s, retry: acknowledged (202) at 3.50 s",
        "stored at 2.50 s, position 1, transaction 7",
        "stored at 4.00 s, position 0",
    ]
    assert life.last_seen == "in the database"
    assert life.at == 4


def test_misordered_pair_tells_both_lives() -> None:
    parts = sent("a", at=1).acknowledged(2), stored("a", at=9), sent("b", at=3).acknowledged(4), stored("b", at=5)
    assert {event_id: life.fate for event_id, life in lives(*parts).items()} == {"a": "misordered", "b": "misordered"}


def test_attempt_without_answer_and_dead_letter_are_told() -> None:
    found = history(sent("x", at=1).again(2).acknowledged(2.5), dead("x"))
    (life,) = judge_history(found).lives
    assert life.fate == "wrongly dead-lettered"
    assert life.story[1:] == [
        "attempt 1 at 1.00 s: no answer",
        "attempt 2 at 2.00 s, retry: acknowledged (202) at 2.50 s",
        "dead-lettered: 22023",
    ]
    assert life.last_seen == "among the dead letters"


def test_sentence_tells_it_in_one_line() -> None:
    life = lives(*OTHERS, LOST, *SEEN)["lost"]
    assert "Meanwhile: nothing was broken. Shared: of its organization" in life.sentence
    assert "last seen: at the intake" in life.sentence


@pytest.mark.slow
def test_page_shows_every_life_and_escapes_it(tmp_path: Path) -> None:
    hostile = sent("<script>x</script>", at=3).acknowledged(3.25)
    run = run_of([*OTHERS, hostile, fault(2, 4, "<img src=x>"), *SEEN, asks(NoLoss())], tmp_path)
    assert [life.event_id for life in judge_run(run).lives] == ["<script>x</script>"]
    page = report(run).read_text()
    lived = page.split('id="lives"')[1].split("</section>")[0]
    assert "&lt;script&gt;x" in lived
    assert "&lt;img src=x&gt;, 2.00 s to 4.00 s" in lived
    assert "<script" not in lived


def test_explain_tells_any_event_of_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = run_of([*OTHERS], tmp_path)
    assert explain_event(run.path, "A") == 0
    assert "stored at 2.00 s" in capsys.readouterr().out
    with pytest.raises(InputError, match="no such id"):
        explain_event(run.path, "nobody")


def test_explain_takes_the_run_from_one_place_and_refuses_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, other = run_of([*OTHERS], tmp_path / "a"), tmp_path / "b"
    assert explain(str(run.path), "A") == 0
    told = capsys.readouterr().out
    assert explain(event="A", run_dir=run.path) == 0
    assert capsys.readouterr().out == told != ""
    with pytest.raises(InputError, match=r"one run directory, got .*/a and --run .*/b"):
        explain(str(run.path), "A", other)
    with pytest.raises(InputError, match="expected --event beside --run"):
        explain("no_loss", run_dir=other)


def test_breaker_that_was_open_when_it_was_last_seen_is_named() -> None:
    opened = breaker((0, "CLOSED"), (3, "OPEN"), (3.5, "HALF_OPEN"), (3.6, "CLOSED"))
    assert "while the breaker of worker-1 was OPEN" in lives(*OTHERS, LOST, *SEEN, opened)["lost"].last_seen
    assert "OPEN" not in lives(*OTHERS, LOST, *SEEN)["lost"].last_seen
    letter = dead("x", first_failed_at="2027-01-15T08:00:01Z", last_failed_at="2027-01-15T08:00:03.2Z")
    (life,) = judge_history(history(sent("x", at=1).acknowledged(1.5), letter, opened)).lives
    assert (life.last_seen, life.at) == ("among the dead letters, while the breaker of worker-1 was OPEN", 3.2)


def test_undelivered_event_names_the_key_that_holds_it() -> None:
    assert "events:0: 3" in lives(*OTHERS, LOST, queued(3), probe(4, queue=3))["lost"].last_seen


def test_event_that_was_answered_wrongly_has_a_life() -> None:
    told = history(sent("bad", expect="refuse").acknowledged(1), sent("good").refused(1), *OTHERS)
    assert {life.event_id: life.fate for life in judge_history(told).lives} == {
        "bad": "accepted although malformed",
        "good": "wrongly refused",
    }


def test_lost_event_tells_what_it_shares_with_others() -> None:
    kept = [
        part
        for n, (at, xid) in enumerate([(1, "8"), (2, "8"), (5, "9"), (6, "9")])
        for part in (sent(f"k{n}", at=at).acknowledged(at + 0.1), stored(f"k{n}", at=7, xid=xid, position=n))
    ]
    other = sent("other", at=3.5, organization="else").acknowledged(3.6), stored("other", at=7)
    found = lives(*kept, *other, LOST, sent("lost too", at=4).acknowledged(4.1))
    assert found["lost"].shares == [
        "of its organization's 6 acknowledged events, 2 missing",
        "its organization's stored event before it is the last of 2 in transaction 8",
        "its organization's stored event after it is the first of 2 in transaction 9",
        "of its shape's 1 acknowledged event, 1 missing (a test's)",
    ]


@pytest.mark.parametrize("positions", [(None, None), (0, 0), (None, 3)])
def test_neighbours_without_positions_have_no_place_in_their_transaction(positions: tuple[int | None, ...]) -> None:
    kept = [
        part
        for at, position in zip((1, 2), positions, strict=True)
        for part in (sent(f"k{at}", at=at).acknowledged(at + 0.1), stored(f"k{at}", at=7, xid="8", position=position))
    ]
    assert "its organization's stored event before it is one of 2 in transaction 8" in lives(*kept, LOST)["lost"].shares


def test_lost_event_names_a_stored_one_of_the_same_contents(tmp_path: Path) -> None:
    parts: list[Part] = [sent("twin", at=1).acknowledged(1.1), stored("twin", at=2), LOST, asks(NoLoss())]
    run = run_of(parts, tmp_path)
    lines = (run / rundir.SCHEDULE).read_text().replace('"shape":1', '"shape":0')
    (run / rundir.SCHEDULE).write_text(lines)
    (life,) = judge_run(run).lives
    assert "the same contents as 1 stored event, such as twin" in life.shares


def test_failed_check_without_anomalies_has_the_trace_of_its_first_event() -> None:
    found = history(*OTHERS)
    late = Finding(Verdict.FAILED, {"stored_late": 1}, {"stored_late": ["a"]})
    (life,) = of_findings(found, {"latency_budget": late}, checks.anomalies())
    assert (life.event_id, life.fate, life.example_of) == ("a", "stored late", "latency_budget")
    passed = msgspec.structs.replace(late, verdict=Verdict.PASSED)
    assert of_findings(found, {"latency_budget": passed}, checks.anomalies()) == []
