"""The timeline: which fault is active from when until when, in seconds from the beginning of the shake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from shaketable.errors import ScenarioError
from shaketable.faults.fault import Fault


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
#: Kinds that close a link's listener for a moment.
REFUSING = frozenset({"flaky", "reset", "commit_reply_lost"})


def check_within(timeline: Timeline, shake_s: float) -> None:
    """Refuse a fault that would still be active after the shake. Raises ScenarioError."""
    for entry in timeline:
        if entry.until_s > shake_s:
            raise ScenarioError(
                f"{entry.fault.label} ends at {entry.until_s:g} s, after the shake, which ends at {shake_s:g} s: "
                "end the fault sooner or give the load a longer shake_s"
            )


def check_apart(timeline: Timeline, targets: Sequence[Sequence[str]]) -> None:
    """Refuse faults that would undo each other; `targets` are the things that each entry breaks. Raises ScenarioError.

    Two of one kind that meet are one to the server: the first that heals would heal both.
    """
    for (one, its), (other, others) in combinations(zip(timeline, targets, strict=True), 2):
        overlap = one.at_s < other.until_s and other.at_s < one.until_s
        alike = one.fault.kind == other.fault.kind or (_refuses(one.fault) and _refuses(other.fault))
        if overlap and alike and (both := sorted(set(its) & set(others))):
            raise ScenarioError(
                f"{one.fault.label} ({one.at_s:g} to {one.until_s:g} s) and {other.fault.label} ({other.at_s:g} to "
                f"{other.until_s:g} s) overlap on {both[0]}, and healing one would heal the other: let one end before "
                "the other begins, or aim them apart"
            )


def _refuses(fault: Fault) -> bool:
    """Whether it closes a link's listener now and then, and opens it again."""
    return fault.kind in REFUSING or (fault.kind == "down" and getattr(fault, "mode", "") == "refused")
