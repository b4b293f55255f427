"""The tracks of a run on one time axis in seconds after T0: binned numbers and spans, without drawing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from shaketable.checks.verdict import Honest
from shaketable.clock import MS, SECOND
from shaketable.evidence.history import NEVER
from shaketable.report.page import extent, spans
from shaketable.report.page.bins import Bins, Floats, carried
from shaketable.report.page.recording import Recording, typed
from shaketable.report.page.sentence import checks
from shaketable.report.page.spans import DrawnSpan

#: Seconds for which a probe's reading remains valid when the next one is late.
STANDS_S = 2.0
#: A health score at or below this means unhealthy.
ILL = 70
#: The drawn value of an honest score: healthy (above ILL), or unhealthy.
HONEST = {True: 100.0, False: float(ILL)}


@dataclass(frozen=True)
class Tracks:
    """All drawn data. A column has one number per bin, NaN if unknown; None if not recorded."""

    bins: Bins
    end: float
    watched: float  # the end of the observed time, in which nothing changed after `end`
    phases: list[DrawnSpan]
    faults: list[DrawnSpan]
    breakers: dict[str, list[DrawnSpan]] | None
    offered: Floats | None = None  # events a second, by intended time
    acknowledged: Floats | None = None  # events a second, by their first acknowledgement
    p50: Floats | None = None  # milliseconds from the intended time, by intended time
    p99: Floats | None = None
    backlog: Floats | None = None
    stored: Floats | None = None  # rows a second
    health: Floats | None = None  # the worst reading of each bin; no answer counts as 0
    silent: Floats | None = None  # 1 where the target did not answer
    honest: Floats | None = None  # the drawn value of an honest score, if known
    lie: Floats | None = None  # the score if dishonest, else ILL
    lied_s: float | None = None


def of(recording: Recording) -> Tracks:
    """The tracks of a run from the available data."""
    end = extent.end(recording)
    bins = Bins.over(end)
    columns = {**_offered(recording, bins), **_answers(recording, bins), **_probed(recording, bins)}
    columns |= _honest(recording.verdict, bins, columns.get("health"))
    return Tracks(
        bins,
        end,
        extent.watched(recording),
        spans.phases(recording, end),
        spans.faults(recording, end),
        spans.breakers(recording, end),
        lied_s=_lied(recording.verdict),
        **columns,
    )


def _offered(recording: Recording, bins: Bins) -> dict[str, Floats]:
    """The rate of planned events."""
    return {} if recording.offsets is None else {"offered": bins.rate(recording.offsets / SECOND)}


def _answers(recording: Recording, bins: Bins) -> dict[str, Floats]:
    """Acknowledgements, and the latency of each event's first one from its intended time."""
    if recording.attempts is None:
        return {}
    attempts = recording.attempts
    answered = attempts[(attempts.outcome == "acknowledged") & (attempts.ended_at != NEVER)]
    events = answered.groupby("event")[["ended_at", "due"]].min()
    due, latency = recording.seconds(events.due), ((events.ended_at - events.due) / MS).clip(lower=0.1)
    return {
        "acknowledged": bins.rate(recording.seconds(events.ended_at)),
        "p50": bins.reduce(due, latency, "quantile", q=0.5),
        "p99": bins.reduce(due, latency, "quantile", q=0.99),
    }


def _probed(recording: Recording, bins: Bins) -> dict[str, Floats]:
    """The probe's readings: the longest queue, the worst health, the growth of stored rows."""
    probes = recording.probes
    if probes is None or probes.empty:
        return {}
    at = recording.seconds(probes.time)
    health = probes.health.where(probes.answered, 0.0)
    found = {"health": _standing(bins, at, health, "min"), "silent": bins.reduce(at, ~probes.answered, "max")}
    if probes.queue.notna().any():
        found["backlog"] = _standing(bins, at, probes.queue, "max")
    if probes.stored.notna().any():
        found["stored"] = bins.slope(at, probes.stored, STANDS_S)
    return found


def _honest(verdict: dict[str, Any], bins: Bins, health: Floats | None) -> dict[str, Floats]:
    """An honest score, and the bins with a dishonest one, as judged by `health_honest`."""
    if health is None or (spans := typed(verdict.get("health"), list[Honest])) is None or not spans:
        return {}
    middle, honest = bins.left + bins.width / 2, np.full(bins.count, np.nan)
    for span in spans:
        honest[(middle >= span.begin) & (middle < span.end)] = HONEST[span.well]
    lies = ((honest == HONEST[False]) & (health > ILL)) | ((honest == HONEST[True]) & (health <= ILL))
    return {"honest": honest, "lie": np.where(lies, health, ILL)}


_LIED = ("falsely_well_s", "falsely_ill_s")


def _lied(verdict: dict[str, Any]) -> float | None:
    """Seconds with a dishonest score."""
    found = typed(checks(verdict).get("health_honest", {}).get("counts"), dict[str, float]) or {}
    return sum(found[name] for name in _LIED) if found.keys() >= set(_LIED) else None


def _standing(bins: Bins, at: Floats, values: pd.Series[float], how: str) -> Floats:
    return carried(bins.reduce(at, values, how), STANDS_S, bins.width)


def peak(values: Floats | None) -> float | None:
    """The highest value; None when there is none."""
    return None if values is None or np.isnan(values).all() else float(np.nanmax(values))


def lowest(values: Floats | None) -> float | None:
    """The lowest value; None when there is none."""
    return None if values is None or np.isnan(values).all() else float(np.nanmin(values))
