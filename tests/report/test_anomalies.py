"""The dots: an event that went wrong stands where it was last seen, and leads to its life."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from shaketable import checks
from shaketable.checks import HealthHonest
from shaketable.checks.verdict import judge_run
from shaketable.report.page import anomalies, tracks
from shaketable.report.page.anomalies import DEEP, Dot
from shaketable.report.page.recording import Recording
from tests.support.histories import asks, run_of
from tests.support.shown import whole, wrong


def life(at: Any, fate: str = "lost") -> dict[str, Any]:
    return {"event_id": f"e{at}", "fate": fate, "at": at}


def test_each_fate_has_a_row_and_each_dot_the_number_of_its_life() -> None:
    rows = anomalies.rows({"lives": [life(5), life(9, "doubled"), life(1)]}, end=100)
    assert [(row.fate, row.total) for row in rows] == [("lost", 2), ("doubled", 1)]
    assert rows[0].dots == [Dot(1, 3, "e1", 0), Dot(5, 1, "e5", 0)]
    assert rows[0].colour != rows[1].colour


def test_total_is_the_checks_own_and_not_what_is_shown() -> None:
    doc = {"lives": [life(5)], "checks": {"no_loss": {"verdict": "failed", "counts": {"lost": 397}}}}
    assert [row.total for row in anomalies.rows(doc, end=100)] == [397]


def test_every_fate_has_a_colour_of_its_own() -> None:
    known = [anomaly for _, anomaly in checks.anomalies()]
    assert len({anomaly.label for anomaly in known}) == len({anomaly.colour for anomaly in known}) == len(known) > 0


def test_what_has_no_dot_is_counted_all_the_same() -> None:
    doc = {"checks": {"nothing_invented": {"counts": {"foreign": 7}}, "content_intact": {"counts": {"altered": 2}}}}
    assert {row.fate: (row.total, row.dots) for row in anomalies.rows(doc, end=100)} == {
        "of an unknown id": (7, []),
        "altered": (2, []),
    }


def test_dots_that_are_close_stand_beside_each_other() -> None:
    (row,) = anomalies.rows({"lives": [life(at / 10) for at in range(5)]}, end=100)
    assert [dot.depth for dot in row.dots] == [0, 1, 2, 0, 1]
    assert DEEP == 3


def test_life_of_another_kind_has_no_dot() -> None:
    assert anomalies.rows({"lives": [life(None), life("<b>"), life(-1), {}]}, end=100) == []
    assert anomalies.rows({"lives": ["<b>"]}, end=100) == []
    assert anomalies.rows({}, end=100) == []


def tracks_of(folder: Path, *parts: Any) -> tracks.Tracks:
    run = run_of(parts, folder)
    judge_run(run)
    return tracks.of(Recording.load(run))


def test_score_that_is_well_while_nothing_can_be_stored_is_a_lie(tmp_path: Path) -> None:
    found = tracks_of(tmp_path, *wrong("gone"))
    assert found.honest is not None
    assert found.lie is not None
    away = (found.bins.left >= 30) & (found.bins.left < 49)
    assert set(found.honest[away]) == {70}
    assert set(found.lie[away]) == {100}
    assert set(found.honest[found.bins.left < 19][5:]) == {100}
    assert set(found.lie[~np.isin(found.honest, [70])]) == {70}
    assert found.lied_s
    assert found.lied_s > 20


def test_honest_score_has_no_lie(tmp_path: Path) -> None:
    found = tracks_of(tmp_path, *whole(asks(HealthHonest())))
    assert found.lie is not None
    assert set(found.lie) == {70}


def test_run_that_nobody_judged_has_no_honest_score(tmp_path: Path) -> None:
    found = tracks.of(Recording.load(run_of(whole(), tmp_path)))
    assert found.honest is None
