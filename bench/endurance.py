"""Endurance: a million events through the intake and two workers, while their memory is watched."""

from __future__ import annotations

import threading
import time

import msgspec

from bench.rates import WORKERS
from bench.stage import Stage, say, stage

#: Seconds between two looks.
LOOK_S = 2.0
#: What counts as flat: the last quarter's mean above the second quarter's by at most this share, or this many MB.
GROWTH_SHARE, GROWTH_MB = 0.05, 8.0


class Endurance(msgspec.Struct):
    """Resident memory in MB of each process, look by look."""

    events: int
    seconds: float
    stored: int
    rss_mb: dict[str, list[float]]

    @property
    def held(self) -> bool:
        """Whether all are stored, and the reference's memory did not grow."""
        return self.stored == self.events and all(map(_is_flat, (self.rss_mb[name] for name in ("ingest", *WORKERS))))


def _is_flat(series: list[float]) -> bool:
    quarter = max(1, len(series) // 4)
    second, last = series[quarter : 2 * quarter] or series, series[-quarter:]
    before, after = sum(second) / len(second), sum(last) / len(last)
    return after <= max(before * (1 + GROWTH_SHARE), before + GROWTH_MB)


def run(events: int) -> Endurance:
    """Send them as fast as they are taken; memory is looked at until the last is stored."""
    with stage() as one:
        port = one.start("ingest", "ingest")
        for name in WORKERS:
            one.start("work", name)
        one.await_lanes("ingest")
        began, series = time.monotonic(), dict[str, list[float]]()
        sending = threading.Thread(target=one.load, args=(port, events))
        sending.start()
        while sending.is_alive():
            _look(one, series)
            time.sleep(LOOK_S)
        one.await_empty()
        _look(one, series)
        told = Endurance(events, time.monotonic() - began, one.stored(), series)
    for name, mb in told.rss_mb.items():
        say(f"{name}: " + " ".join(f"{one:.0f}" for one in mb[:: max(1, len(mb) // 20)]) + " MB")
    say(f"{told.stored:,} of {events:,} stored in {told.seconds:.0f} s, memory {'flat' if told.held else 'GREW'}")
    return told


def _look(one: Stage, series: dict[str, list[float]]) -> None:
    for name, mb in one.rss_mb().items():
        series.setdefault(name, []).append(mb)
    say(f"{len(series['valkey']) * LOOK_S:.0f} s, {one.queued():,} in the queue")
