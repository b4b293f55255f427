"""Batches: their bodies, the answer to each of their events, and what contradicts itself."""

from __future__ import annotations

import itertools
import json
from datetime import date

import pytest

from shaketable.load.batch import NO_ANSWER, Batch, decoded, encoded
from shaketable.load.mix import Mix, malformed, sized
from shaketable.load.mix.shape import Expect, Shape
from shaketable.load.outcome import TOO_LARGE, classify
from shaketable.load.reply import Reply
from shaketable.load.schedule import plan
from shaketable.op import Outcome

DAY, LIMIT = date(2026, 11, 29), 1 << 16
EVENTS = [b'{"id": 1}', b'{\n"id": 2}']


@pytest.mark.parametrize(
    ("batch", "body"),
    [
        (Batch(2), b'[{"id": 1},{\n"id": 2}]'),
        (Batch(2, member="/events"), b'{"events":[{"id": 1},{\n"id": 2}]}'),
        (Batch(2, member="/a~1b/events"), b'{"a/b":{"events":[{"id": 1},{\n"id": 2}]}}'),
        (Batch(2, format="ndjson"), b'{"id": 1}\n{ "id": 2}\n'),
    ],
)
def test_body_holds_each_event_as_it_is(batch: Batch, body: bytes) -> None:
    assert batch.body(EVENTS) == body


def test_event_that_is_to_be_refused_stays_so_on_its_line() -> None:
    torn = b'{"text": "a\nb"}'  # a line end within a string is no JSON; a space would be
    assert Batch(2, format="ndjson").body([torn], Expect.REFUSE) == torn + b"\n"


@pytest.mark.parametrize("batch", [Batch(2), Batch(2, member="/events"), Batch(2, format="ndjson"), Batch(2, "/batch")])
def test_no_event_that_is_to_be_refused_makes_a_good_empty_batch(batch: Batch) -> None:
    shapes = batch.sendable(list(malformed.shapes(DAY)))
    assert [shape.number for shape in shapes] == [*range(len(shapes))]
    blank = [shape for shape in shapes if shape.blank]
    assert {shape.why for shape in blank} == (set() if batch.format == "ndjson" else {"empty body", "a space"})
    assert all(batch.body([shape.wire("x")], shape.expect).strip() == b"" for shape in blank)


@pytest.mark.parametrize("batch", [Batch(2), Batch(2, member="/events"), Batch(2, format="ndjson")])
def test_largest_event_fits_the_limit_in_its_batch(batch: Batch) -> None:
    shapes = sized.shapes(DAY, LIMIT, batch.frame)
    sizes = {len(batch.body([shape.wire("0" * 36)], shape.expect)) for shape in shapes if shape.expect is Expect.ACCEPT}
    assert max(sizes) == LIMIT
    refused = [shape.wire("0" * 36) for shape in sized.shapes(DAY, LIMIT, batch.frame) if shape.expect is Expect.REFUSE]
    assert [len(each) for each in refused] == [LIMIT + 1]  # without the frame: it may go to the path for single events


@pytest.mark.parametrize(
    ("sizes", "found"),
    [([], []), ([10] * 5, [3, 2]), ([40, 40, 40], [2, 1]), ([200, 1], [1, 1]), ([48, 49], [1, 1]), ([48, 48], [2])],
)
def test_request_holds_events_up_to_a_count_and_up_to_its_bytes(sizes: list[int], found: list[int]) -> None:
    batch, events = Batch(3, max_bytes=100), [b"x" * size for size in sizes]
    parts = [events[part] for part in batch.cut(sizes)]
    assert [len(part) for part in parts] == found
    assert all(len(part) == 1 or len(batch.body(part)) <= 100 for part in parts)


def test_request_that_is_too_large_judges_none_of_its_events() -> None:
    batch = Batch(2, answers="/results")
    assert [classify(each.status, each.error) for each in batch.replies(Reply(413), 2)] == [(Outcome.REFUSED, True)] * 2
    assert classify(None, TOO_LARGE, definite_refusals={400}).outcome is Outcome.INDETERMINATE
    assert batch.replies(Reply(413), 1) == [Reply(413)]


def test_one_status_is_the_answer_to_all() -> None:
    assert Batch(2, accepted=(200,)).replies(Reply(200, content=b"x"), 2) == [Reply(200, accepted=(200,))] * 2
    assert Batch(2).replies(Reply(None, "Timeout"), 2) == [Reply(None, "Timeout")] * 2


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ({"results": [{"status": 201}, {"status": 422}]}, [(201, ""), (422, "")]),
        ({"results": [{"status": 201}, {"status": "422"}]}, [(201, ""), (None, NO_ANSWER)]),
        ({"results": [{"status": 201}, {}]}, [(201, ""), (None, NO_ANSWER)]),
        ({"results": [{"status": 201}, True]}, [(201, ""), (None, NO_ANSWER)]),
        ({"results": [{"status": 201}]}, [(None, NO_ANSWER)] * 2),  # whose answer it is, nobody knows
        ({"results": [{"status": 201}] * 3}, [(None, NO_ANSWER)] * 2),
        ({"results": {}}, [(None, NO_ANSWER)] * 2),
        ({}, [(None, NO_ANSWER)] * 2),
        (None, [(None, NO_ANSWER)] * 2),
    ],
)
def test_each_event_has_an_answer_of_its_own_or_none(answer: object, found: list[tuple[int | None, str]]) -> None:
    batch, content = Batch(2, answers="/results"), b"{" if answer is None else json.dumps(answer).encode()
    assert [(each.status, each.error) for each in batch.replies(Reply(207, content=content), 2)] == found
    assert batch.replies(Reply(503, advised_s=2), 2) == [Reply(503, advised_s=2)] * 2  # the whole was refused


@pytest.mark.parametrize("content", [b'[{"status":201},{"status":422}]', b'{"status":201}\n{"status":422}\n'])
def test_answers_may_be_the_body_itself_or_its_lines(content: bytes) -> None:
    found = Batch(2, format="ndjson", answers="").replies(Reply(207, content=content), 2)
    assert [each.status for each in found] == [201, 422]


@pytest.mark.parametrize(
    ("batch", "told"),
    [
        (Batch(1), "ingest.batch.size from 2 to 10,000, got 1"),
        (Batch(2, member="events"), "ingest.batch.member as a JSON Pointer, got 'events'"),
        (Batch(2, member=""), "ingest.batch.member to name a member, got ''"),
        (Batch(2, member="/a", format="ndjson"), "member is for an array"),
        (Batch(2, answers="results"), "ingest.batch.answers as a JSON Pointer"),
        (Batch(2, max_bytes=0), "ingest.batch.max_bytes above 0, got 0"),
        (Batch(2, accepted=(404,)), "ingest.batch.accepted as statuses from 200 to 299"),
        (Batch(2, answers="/results", accepted=(200,)), "leave one out"),
    ],
)
def test_what_contradicts_itself_is_named(batch: Batch, told: str) -> None:
    assert any(told in each for each in batch.mistakes())


def test_batch_is_an_option_of_the_load() -> None:
    batch = Batch(50, "/batch", answers="/results")
    assert decoded(encoded(batch)) == batch
    assert decoded(encoded(None)) is None


def test_events_of_a_batch_are_due_together_at_the_same_rate() -> None:
    shapes = [Shape(0, Expect.ACCEPT, "", body={})]
    times = [planned.at for planned in plan((n / 10 for n in range(12)), Mix(), shapes, 1, batch=4)]
    assert [len(list(group)) for _, group in itertools.groupby(times)] == [4, 4, 4]
    assert [round(at / 1e8) for at in times[::4]] == [0, 4, 8]
