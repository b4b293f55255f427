from __future__ import annotations

import itertools
import json
import uuid
from collections import Counter
from datetime import date
from itertools import islice, pairwise
from typing import Any

import msgspec
import pytest

from shaketable.clock import SECOND
from shaketable.errors import ScenarioError
from shaketable.load.mix import Mix, months, numeric
from shaketable.load.mix import sized as sized_shapes
from shaketable.load.mix.shape import Expect, Shape
from shaketable.load.schedule import HOT, RESENDS, SHAPES, Load, Planned, body, plan, schedule, times

GOOD = [
    Shape(i, Expect.ACCEPT, "", body={"timestamp": "2026-11-23T00:00:00Z", "action": f"a{i}", "status": "attempt"})
    for i in range(20)
]
BAD = [Shape(20 + i, Expect.REFUSE, "", text=f'{{"eventId":"%EVENT_ID%","bad":{i}}}') for i in range(5)]
CORPUS = GOOD + BAD
LOAD = Load(rate=100, baseline_s=5, shake_s=30, recover_s=5)
TODAY = date(2026, 1, 2)
SCHEDULE = schedule(LOAD, Mix(), CORPUS, 7)


@pytest.mark.parametrize(
    ("wrong", "value"),
    [
        ({"rate": 0}, "0"),
        ({"rate": -120}, "-120"),
        ({"rate": float("nan")}, "nan"),
        ({"shake_s": -1}, "-1"),
        ({"baseline_s": 0, "shake_s": 0, "recover_s": 0}, "0"),
        ({"shape": "square"}, "square"),
        ({"unsent_bound": 1.5}, "1.5"),
        ({"lateness_bound_ms": 0}, "0"),
    ],
)
def test_a_load_that_cannot_be_is_refused_in_a_sentence_with_the_value(wrong: dict[str, Any], value: str) -> None:
    with pytest.raises(ScenarioError, match=f"expected .*got .*{value}.*: "):
        Load(**wrong)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_has_the_asked_mean_rate(shape: str) -> None:
    load = Load(rate=100, baseline_s=10, shake_s=20, recover_s=10, shape=shape)
    assert len(list(times(load))) == pytest.approx(4_000, rel=0.02)


def test_a_steady_load_sends_exactly_rate_times_seconds() -> None:
    assert len(SCHEDULE) == 4_000
    assert len(schedule(Load(20, 0, 5, 0), Mix(), CORPUS, 1)) == 100


def test_intended_times_are_evenly_paced_and_in_order() -> None:
    gaps = [later.at - earlier.at for earlier, later in pairwise(SCHEDULE)]
    assert min(gaps) >= 0.8 * SECOND / 100 - 1
    assert max(gaps) <= 1.2 * SECOND / 100 + 1
    assert SCHEDULE[-1].at < 40 * SECOND


def test_an_endless_plan_plays_on_past_the_end_of_its_load() -> None:
    load = Load(rate=10, baseline_s=0, shake_s=1, recover_s=0, shape="ramp")
    events = list(islice(plan(times(load, endless=True), Mix(), CORPUS, 1), 100))
    assert events[-1].at > 2 * SECOND


def test_a_schedule_is_the_same_for_the_same_seed_alone() -> None:
    assert schedule(LOAD, Mix(), CORPUS, 7) == SCHEDULE
    assert schedule(LOAD, Mix(), CORPUS, 8) != SCHEDULE


def test_ids_are_fresh_random_uuids() -> None:
    ids = {planned.event_id for planned in SCHEDULE}
    assert len(ids) == len(SCHEDULE)
    assert {uuid.UUID(event_id).version for event_id in ids} == {4}


def test_shares_of_the_mix_are_kept() -> None:
    assert sum(planned.expect is Expect.REFUSE for planned in SCHEDULE) == pytest.approx(80, abs=1)
    assert Counter(bool(p.twin_of) for p in SCHEDULE)[True] == pytest.approx(39, abs=1)
    assert sum(planned.ordered for planned in SCHEDULE) == pytest.approx(392, abs=20)
    assert {p.organization for p in SCHEDULE if p.ordered} == {f"ordered-{i}" for i in range(1, 6)}


def test_resends_on_purpose_take_turns_so_that_a_short_run_has_all_kinds() -> None:
    short = schedule(Load(30, 0, 10, 0), Mix(changed=0), CORPUS, 1)
    assert Counter(p.resend for p in short if p.resend).keys() == set(RESENDS)
    assert sum(p.resend in RESENDS for p in SCHEDULE) == pytest.approx(0.02 * 3_920, abs=1)
    assert not any(p.resend for p in SCHEDULE if p.expect is not Expect.ACCEPT)


def test_twins_have_identical_contents_under_ids_of_their_own() -> None:
    by_id = {planned.event_id: planned for planned in SCHEDULE}
    for twin in (planned for planned in SCHEDULE if planned.twin_of):
        of = by_id[twin.twin_of or ""]
        mine, its = json.loads(_body(twin)), json.loads(_body(of))
        assert mine.pop("eventId") != its.pop("eventId")
        assert mine == its
        assert of.n < twin.n


def test_the_schedule_knows_each_events_organization() -> None:
    for planned in SCHEDULE:
        if planned.expect is Expect.ACCEPT:
            assert json.loads(_body(planned)).get("organizationId") == planned.organization


def test_a_malformed_body_carries_its_id() -> None:
    bad = next(planned for planned in SCHEDULE if planned.expect is Expect.REFUSE)
    assert json.loads(_body(bad))["eventId"] == bad.event_id


def test_a_corpus_without_malformed_shapes_makes_a_schedule_of_good_ones() -> None:
    assert {planned.expect for planned in schedule(LOAD, Mix(), GOOD, 1)} == {Expect.ACCEPT}


def test_a_tenfold_load_is_ten_times_as_dense_for_a_tenth_of_it() -> None:
    load = Load(rate=190, baseline_s=10, shake_s=10, recover_s=10, shape="tenfold")
    dense = sum(12 <= t < 15 for t in times(load))
    assert dense == pytest.approx(3_000, rel=0.01)
    assert sum(15 <= t < 18 for t in times(load)) == pytest.approx(300, rel=0.01)


def test_the_hot_organization_sends_its_share_of_the_independent_events() -> None:
    events = [p for p in schedule(LOAD, Mix(hot=0.8), CORPUS, 1) if p.expect is Expect.ACCEPT and not p.ordered]
    assert sum(p.organization == HOT for p in events) / len(events) == pytest.approx(0.8 * 7 / 8, abs=0.03)


def test_everyday_kinds_take_turns_in_their_share_of_the_events() -> None:
    kinds = [Shape(25 + i, Expect.ACCEPT, f"kind {i}", body={"action": f"k{i}"}, everyday=True) for i in range(4)]
    events = schedule(LOAD, Mix(everyday=0.6, malformed=0, twins=0), [*CORPUS, *kinds], 1)
    seen = Counter(p.shape for p in events if p.shape >= 25)
    assert sum(seen.values()) == pytest.approx(0.6 * len(events), abs=1)
    assert max(seen.values()) - min(seen.values()) <= 1
    assert {p.shape for p in events if p.shape < 25} == set(range(20))


def _body(planned: Planned) -> bytes:
    return body(planned, CORPUS[planned.shape])


def test_ordered_events_in_a_row_are_of_one_organization() -> None:
    planned = [p.organization for p in schedule(LOAD, Mix(ordered=0.5, ordered_run=4, twins=0), CORPUS, 1) if p.ordered]
    runs = [len(list(same)) for _, same in itertools.groupby(planned)]
    assert set(runs[1:-1]) == {4}


def test_sized_shapes_are_all_sent_in_turn() -> None:
    shapes = [*CORPUS]
    shapes += [msgspec.structs.replace(shape, number=len(shapes) + n) for n, shape in enumerate(sized())]
    planned = schedule(LOAD, Mix(sized=0.05), shapes, 1)
    large = [p for p in planned if p.shape >= len(CORPUS) and p.expect is Expect.ACCEPT and not p.twin_of]
    assert {p.shape for p in large} == {shape.number for shape in shapes if shape.sized}


def test_numeric_shapes_are_all_sent_also_in_the_rhythm_of_the_ordered_events_and_of_the_other_shapes() -> None:
    more = [*numeric.shapes(date(2026, 1, 2))]
    shapes = [*CORPUS, *(msgspec.structs.replace(shape, number=len(CORPUS) + n) for n, shape in enumerate(more))]
    assert {p.shape for p in schedule(LOAD, Mix(numeric=0.05), shapes, 1)} == set(range(len(shapes)))


def test_changed_contents_are_those_of_another_shape_under_the_same_id_and_organization() -> None:
    changed = [p for p in schedule(LOAD, Mix(changed=0.05), CORPUS, 1) if p.resend == "changed"]
    assert len(changed) == pytest.approx(0.05 * 4_000, rel=0.1)
    for p in changed:
        assert p.changed is not None
        first, later = (json.loads(body(p, CORPUS[number])) for number in (p.shape, p.changed))
        assert [first[name] == later[name] for name in ("eventId", "organizationId", "action")] == [True, True, False]
    assert not [p for p in schedule(LOAD, Mix(resent=0), CORPUS, 1) if p.resend]


def test_only_audit_events_are_sent_with_other_contents_or_another_letter_case() -> None:
    own = [msgspec.structs.replace(shape, text="{}", body=None, order="1") for shape in CORPUS]
    assert {p.resend for p in schedule(LOAD, Mix(), own, 1)} == {"", *RESENDS} - {"other_case"}


def sized() -> list[Shape]:
    return list(sized_shapes.shapes(date(2026, 1, 2), 1 << 16))


def test_month_ends_come_month_after_month_and_leave_the_other_draws_alone() -> None:
    shapes = [*CORPUS]
    shapes += [msgspec.structs.replace(shape, number=20 + 5 + n) for n, shape in enumerate(months.shapes(TODAY))]
    planned = schedule(LOAD, Mix(month_ends=0.1), shapes, 7)
    ends = [p.shape for p in planned if p.shape >= len(CORPUS) and not p.twin_of]
    assert ends == list(range(len(CORPUS), len(CORPUS) + len(ends)))
    assert len(ends) == pytest.approx(0.1 * 0.97 * len(planned), rel=0.02)
    assert [(p.event_id, p.organization) for p in planned] == [(p.event_id, p.organization) for p in SCHEDULE]
    assert schedule(LOAD, Mix(), shapes, 7) == SCHEDULE
