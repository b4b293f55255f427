"""The counters that a target shows: the samples of the text format, summed over their labels."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.openmetrics import exposition

from shaketable.evidence import counters

SERIES = {"stored": "events_total"}


def shown(*labels: str) -> CollectorRegistry:
    registry = CollectorRegistry()
    counter = Counter("events", "help", ["lane"], registry=registry)
    for label in labels:
        counter.labels(label).inc(5, exemplar={"trace": "1"})
    return registry


@pytest.mark.parametrize("label", ["a", '} 7 "', "\\", '\\"} 9', "{", "line\nbreak", ""])
def test_samples_are_summed_whatever_their_labels(label: str) -> None:
    registry = shown(label, "other")
    assert counters.parsed(generate_latest(registry).decode(), SERIES) == {"stored": 10}
    assert counters.parsed(exposition.generate_latest(registry).decode(), SERIES) == {"stored": 10}  # type: ignore[no-untyped-call]


def test_series_that_is_missing_or_no_number_is_left_out() -> None:
    assert counters.parsed("", SERIES) == {}
    assert counters.parsed("events_total NaN\nevents_total_2 3\n# events_total 4\n", SERIES) == {}
    assert counters.parsed("{broken\nevents_total 3 1700000000\n", SERIES) == {"stored": 3}
