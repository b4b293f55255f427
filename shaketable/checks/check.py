"""A check: a law that a history keeps or breaks. Its kinds are in `shaketable.checks`."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from shaketable.evidence.history import History

#: How many members of each set a finding lists; its count is always whole.
MEMBERS = 100


class Verdict(StrEnum):
    """What can be said of a law, worst first: failed > unknown > passed. Not applicable never counts."""

    FAILED = "failed"
    UNKNOWN = "unknown"
    PASSED = "passed"
    NOT_APPLICABLE = "not applicable"

    @property
    def exit_code(self) -> int:
        """The exit code of a command that ends with this verdict."""
        return {Verdict.PASSED: 0, Verdict.FAILED: 1}.get(self, 2)


class Finding(msgspec.Struct, frozen=True):
    """What a check found: counts and members of the sets it names, and why in a sentence."""

    verdict: Verdict
    counts: dict[str, int | float] = {}
    members: dict[str, list[str]] = {}
    why: str = ""


class Check(Protocol):
    """Judges one law. The class docstring is the law; budgets are fields, with units in their names.

    One whose budgets are times alone says `by_the_clock = True`: on a machine that left the harness itself no time to
    send, its failure is unknown.
    """

    @property
    def name(self) -> str: ...

    def judge(self, history: History) -> Finding: ...


def worst(verdicts: list[Verdict]) -> Verdict:
    """The verdict of several: failed > unknown > passed; nothing that counts is unknown."""
    for verdict in (Verdict.FAILED, Verdict.UNKNOWN, Verdict.PASSED):
        if verdict in verdicts:
            return verdict
    return Verdict.UNKNOWN


def judge(check: Check, history: History) -> Finding:
    """Run one check; one that raises has judged nothing, so it is unknown and says what it raised."""
    try:
        return check.judge(history)
    except Exception as e:  # a broken check must not take the others' verdicts with it
        return Finding(Verdict.UNKNOWN, why=f"the check itself raised {type(e).__name__}: {e}")


#: Sets that are no anomaly.
_ORDINARY = {"acknowledged", "stored", "dead_lettered", "queued", "resent", "judged", "pairs"}


def ordinary(name: str) -> bool:
    """Whether a set is the normal course of things, so that its members are no news."""
    return name in _ORDINARY
