"""The timeline: which fault is active from when until when, in seconds from the beginning of the shake."""

from __future__ import annotations

from dataclasses import dataclass

from shaketable.errors import ScenarioError
from shaketable.fault import Fault


@dataclass(frozen=True)
class At:
    """`fault` is active from `at_s` until `until_s`."""

    at_s: float
    until_s: float
    fault: Fault

    def __post_init__(self) -> None:
        if not 0 <= self.at_s < self.until_s:
            raise ScenarioError(
                f"{self.fault.label}: expected 0 <= at < until, got at {self.at_s:g} s and until {self.until_s:g} s"
            )


Timeline = tuple[At, ...]


def check_within(timeline: Timeline, shake_s: float) -> None:
    """Refuse a fault that would still be active after the shake. Raises ScenarioError."""
    for entry in timeline:
        if entry.until_s > shake_s:
            raise ScenarioError(
                f"{entry.fault.label} ends at {entry.until_s:g} s, after the shake, which ends at {shake_s:g} s: "
                "end the fault sooner or give the load a longer shake_s"
            )
