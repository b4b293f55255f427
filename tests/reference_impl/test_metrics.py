"""Metrics: what real processes tell is what the docs and the dashboard name."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from reference_impl.operations import metrics
from reference_impl.resilience.circuit_breaker import HALF_OPEN, OPEN
from tests.reference_impl.conftest import Processes, all_stored, client, health, send, until, wire
from tests.reference_impl.test_breaker import Bench

ROOT = Path(__file__).parents[2]
DASHBOARD = json.loads((ROOT / "monitoring" / "grafana" / "dashboards" / "reference.json").read_text())
PARTS = ("processor", "breaker", "dead letters")


def scraped(text: str) -> dict[str, float]:
    """Every series by its name, the values of its labels summed; one whose labels have no value yet is 0."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0) + sample.value
        if not family.samples:
            found[family.name] = 0
    return found


def asked() -> dict[str, set[str]]:
    """The series that the dashboard's panels ask for, by its rows; what stands above the first is the overview."""
    rows: dict[str, set[str]] = {"overview": set()}
    for panel in DASHBOARD["panels"]:
        if panel["type"] == "row":
            rows[panel["title"].lower()] = set()
        for target in panel.get("targets", []):
            list(rows.values())[-1].update(re.findall(r"\b(?:reference|process)_\w+", target["expr"]))
    return rows


@pytest.mark.slow
def test_real_processes_tell_every_series_that_docs_and_dashboard_name(
    processes: Processes, admin: psycopg.Connection[Any]
) -> None:
    async def run() -> tuple[dict[str, float], dict[str, float]]:
        _, intake = processes.start("ingest", "ingest")
        _, worker = processes.start("work", "worker-1")
        async with client() as http:
            await until(lambda: health(http, intake, 100, lanes=5))
            ids = await send(http, intake, 30)
            await http.post(f"{intake}/events", content=wire(status="done"))
            await until(lambda: all_stored(admin, ids))

            async def counted() -> tuple[dict[str, float], dict[str, float]] | None:
                """A worker counts what it has stored, a moment after it is there."""
                told, also = [scraped((await http.get(f"{url}/metrics")).text) for url in (intake, worker)]
                return (told, also) if also["reference_stored_events_total"] == 30 else None

            found: tuple[dict[str, float], dict[str, float]] = await until(counted)
            return found

    intake, worker = asyncio.run(run())
    documented = re.findall(r"^\| `(\w+)`", (ROOT / "docs" / "metrics.md").read_text(), re.M)
    assert {name for name in documented if name not in intake or name not in worker} == set()
    assert {name for names in asked().values() for name in names if name not in worker} == set()
    assert (intake["reference_accepted_events_total"], intake["reference_refused_events_total"]) == (30, 1)
    assert worker["reference_stored_events_total"] == 30
    assert worker["reference_batch_seconds_count"] == worker["reference_age_seconds_count"] >= 1
    assert worker["reference_lanes_held"] == 5


def test_the_dashboard_shows_every_part() -> None:
    assert {part for part in PARTS if not asked().get(part)} == set()
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    for panel in DASHBOARD["panels"]:
        assert panel["type"] == "row" or panel["datasource"]["uid"] == "${datasource}"


def test_what_only_workers_have_is_shown_of_workers_alone() -> None:
    asked_for = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]
    shown = [expr for expr in asked_for if re.match(r"reference_(lanes|breaker)_\w+", expr)]
    assert len(shown) == 3
    assert all(expr.endswith('{process!="ingest"}') for expr in shown)
    assert "target_label: process" in (ROOT / "monitoring" / "prometheus.yml").read_text()


def test_the_breakers_transitions_and_trips_are_counted() -> None:
    def value(counter: Any) -> float:
        return float(counter._value.get())

    before = value(metrics.TRIPS), value(metrics.TRANSITIONS.labels(HALF_OPEN, OPEN))
    bench = Bench(breaker_failure_threshold=1)
    bench.fail(1)
    bench.breaker.half_open()
    bench.fail(1)
    assert (value(metrics.TRIPS), value(metrics.BREAKER)) == (before[0] + 2, 2)
    assert value(metrics.TRANSITIONS.labels(HALF_OPEN, OPEN)) == before[1] + 1
    bench.breaker.half_open()
    bench.succeed(1)
    assert value(metrics.BREAKER) == 0
