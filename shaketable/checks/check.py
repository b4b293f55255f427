"""A check: a law that a history keeps or breaks. Its kinds are in `shaketable.checks`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from shaketable.evidence.history import History

#: How many members of each set a finding lists; its count is always whole.
MEMBERS = 100


class Verdict(StrEnum):
    """The verdict on a law, worst first: failed > unknown > passed. Not applicable never counts."""

    FAILED = "failed"
    UNKNOWN = "unknown"
    PASSED = "passed"
    NOT_APPLICABLE = "not applicable"

    @property
    def exit_code(self) -> int:
        """The exit code of a command that ends with this verdict."""
        return {Verdict.PASSED: 0, Verdict.FAILED: 1}.get(self, 2)


class Finding(msgspec.Struct, frozen=True):
    """The result of a check: counts and members of the sets that it names, and a sentence on why."""

    verdict: Verdict
    counts: dict[str, int | float] = {}
    members: dict[str, list[str]] = {}
    why: str = ""


@dataclass(frozen=True)
class Anomaly:
    """A set of a finding whose members are events that went wrong: the report shows a dot and a trace of each."""

    set: str
    label: str
    colour: str = "#8b95a5"
    rank: int = 1000  # worst first: an event that is in several sets is shown as the worst


@dataclass(frozen=True)
class Column:
    """A column of a comparison: the members of these sets, counted. Checks with a column of one name are added up."""

    name: str
    about: str
    sets: tuple[str, ...]
    rank: int = 1000  # the order of the columns


@dataclass(frozen=True)
class Budget:
    """A budget with a name of its own: it sets these fields of the check, and implies values of others."""

    fields: tuple[str, ...]
    per: float = 1.0  # the budget's unit in the unit of the fields: 1000 for milliseconds and seconds
    implied: Mapping[str, float] = field(default_factory=dict)
    means: str = ""


class Check(Protocol):
    """Judges one law. The class docstring is the law; budgets are fields, with units in their names.

    All else that is particular to a check is a class attribute, each optional:

    - `held`: the report's words for a pass, such as "no acknowledged event was lost"
    - `anomalies`: an `Anomaly` for each set whose events went wrong
    - `columns`: a `Column` for each column of a comparison
    - `budgets`: a `Budget` by name, for fields that are set together
    - `by_the_clock = True`: all budgets are times, in fields that end in `_s` or `_times`; a failure is unknown where
      the harness itself got no time to send, and where other programs kept the machine busy unless four times the
      budget fails too
    - `of_work = True`: those times contain the target's work on events; a failure is unknown where other programs used
      over half of the CPUs
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
    """Run one check; one that raises, or returns what no verdict.json can hold, is unknown with its error as reason."""
    try:
        return _plain(check.judge(history))
    except Exception as e:  # a broken check must not take the others' verdicts with it
        return Finding(Verdict.UNKNOWN, why=f"the check itself raised {type(e).__name__}: {e}")


def _plain(found: Finding) -> Finding:
    """The finding with Python's own numbers in place of NumPy's. Raises ValueError or msgspec.ValidationError."""
    plain = msgspec.convert(msgspec.to_builtins(found, enc_hook=lambda value: value.tolist()), Finding)
    if odd := [name for name, value in plain.counts.items() if not math.isfinite(value)]:
        raise ValueError(f"expected finite counts, got {plain.counts[odd[0]]} for {odd[0]}")
    return plain


#: Sets that are no anomaly.
_ORDINARY = {"acknowledged", "stored", "dead_lettered", "queued", "resent", "judged", "pairs"}


def ordinary(name: str) -> bool:
    """Whether a set is the normal course of things, so that its members are no news."""
    return name in _ORDINARY
