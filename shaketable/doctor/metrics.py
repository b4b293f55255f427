"""Test that the counters which the manifest names are there."""

from __future__ import annotations

from collections.abc import Iterator

from shaketable.doctor.result import DoctorResult, ok, wrong
from shaketable.doctor.session import DoctorSession
from shaketable.evidence import counters


def lines(session: DoctorSession) -> Iterator[DoctorResult]:
    """Each series of [metrics] is shown by a process with a `health` path."""
    if (table := session.manifest.metrics) is None:
        return
    asked = [instance for instance in session.target.instances.values() if instance.kind.health]
    shown = {name for instance in asked for name in counters.read(instance, table) or {}}
    named = {name: series for name, series in table.series.items() if series}
    if missing := [series for name, series in named.items() if name not in shown]:
        remedy = "name a series as the process writes it, with its ending `_total`"
        yield wrong("metrics", f"no process shows {', '.join(missing)} at {table.path}", remedy, "`[metrics]`")
    else:
        yield ok("metrics", f"{', '.join(named)} at {table.path}")
