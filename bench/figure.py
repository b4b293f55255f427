"""A figure: what was measured, over how many events, and what of it is claimed."""

from __future__ import annotations

import msgspec


class Figure(msgspec.Struct, frozen=True, omit_defaults=True):
    """One rate, in events a second of wall time."""

    name: str
    per_second: float
    events: int
    cpu_us: dict[str, float] = {}  # microseconds of CPU an event cost each process
    latency_ms: dict[str, float] = {}  # of requests: p50, p99
    others_cores: float = 0.0  # how many cores were busy with something else meanwhile: that lowers any rate


class Ratio(msgspec.Struct, frozen=True):
    """Two rates of the same run compared, and what is aimed at."""

    name: str
    ratio: float
    at_least: float


class Report(msgspec.Struct, frozen=True):
    """All of one run."""

    machine: str
    figures: list[Figure]
    ratios: list[Ratio]

    @property
    def held(self) -> bool:
        """Whether every ratio reaches what is aimed at."""
        return all(ratio.ratio >= ratio.at_least for ratio in self.ratios)


def ratios(figures: list[Figure]) -> list[Ratio]:
    """What section by section can be told from these figures."""
    rate = {figure.name: figure.per_second for figure in figures}
    wanted = [
        ("end to end ÷ 10,000 a second", "end to end", 10_000.0, 1.0),
        ("drain ÷ staged COPY", "drain", rate.get("staged COPY", 0.0), 1.0),
        ("drain ÷ one INSERT an event", "drain", rate.get("one INSERT an event", 0.0), 8.0),
    ]
    return [Ratio(name, rate[top] / bottom, least) for name, top, bottom, least in wanted if top in rate and bottom]
