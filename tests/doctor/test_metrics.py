"""The doctor asks each process for the counters that the manifest names."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from shaketable.doctor import metrics
from shaketable.evidence import counters
from shaketable.target.metrics_table import MetricsTable

TABLE = MetricsTable(accepted="accepted_total", stored="stored_total")


def examined(monkeypatch: pytest.MonkeyPatch, table: MetricsTable | None, **shown: dict[str, float] | None) -> Any:
    """The lines about processes that show these counters."""
    monkeypatch.setattr(counters, "read", lambda instance, _: shown[instance.name])
    instances = {name: SimpleNamespace(name=name, kind=SimpleNamespace(health="/health")) for name in shown}
    target, manifest = SimpleNamespace(instances=instances), SimpleNamespace(metrics=table)
    return list(metrics.lines(cast(Any, SimpleNamespace(target=target, manifest=manifest))))


def test_counters_that_some_process_shows_are_right(monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = examined(monkeypatch, TABLE, ingest={"accepted": 1.0}, worker={"stored": 0.0})
    assert found.state == "ok"


def test_series_that_no_process_shows_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = examined(monkeypatch, TABLE, ingest={"accepted": 1.0}, worker=None)
    assert (found.state, "stored_total" in found.found, "accepted_total" in found.found) == ("wrong", True, False)


def test_manifest_without_metrics_has_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert examined(monkeypatch, None, ingest={}) == []
