"""Schedule and journals: the planned events, every attempt, and each attempt's outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from shaketable import rundir
from shaketable.errors import RunDirError
from shaketable.event import ids
from shaketable.evidence.history.columns import CATEGORY, NEVER, Columns, Ints, blocks, count, first, narrowed, table
from shaketable.load.schedule import Planned
from shaketable.op import Kind, Nanoseconds, Outcome, Whole
from shaketable.rundir import RunDir

#: Outcomes by code, best first; the last one means never attempted.
OUTCOMES = (Outcome.ACKNOWLEDGED.value, Outcome.INDETERMINATE.value, Outcome.REFUSED.value, "unsent")
_CODE = {name: code for code, name in enumerate(OUTCOMES)}
_INDETERMINATE, _UNSENT = _CODE["indeterminate"], _CODE["unsent"]


class _Detail(msgspec.Struct, frozen=True, gc=False):
    n: Whole = -1
    due: Nanoseconds = -1
    emitted: Nanoseconds = -1
    held: Nanoseconds = 0
    queued: bool | Whole = False  # a count in DONE
    resend: str = ""
    status: Whole | None = None
    retry_after: float = 0.0
    wall: Nanoseconds = 0
    clock_error: Nanoseconds = 0


class _Line(msgspec.Struct, frozen=True, gc=False):
    """An op of a journal, with the members that checks use."""

    kind: str
    invoked_at: Nanoseconds
    ended_at: Nanoseconds | None = None
    outcome: str | None = None
    attempt: Whole | None = None
    detail: _Detail = _Detail()


@dataclass(frozen=True)
class Journals:
    """The contents of all load journals."""

    attempts: pd.DataFrame
    unsent: Ints
    given_up: Ints
    start: int | None  # T0
    pairs: list[tuple[int, int]]
    clock_error: int = 0  # the largest error of a worker's times, in nanoseconds


def schedule(path: Path, key: Callable[[str], str] = ids.normal) -> pd.DataFrame:
    """One row per planned event, by number, due after T0; `key` is the form in which ids are compared."""
    events = table(
        blocks(path, Planned),
        {
            "n": attrgetter("n"),
            "event_id": lambda p: key(p.event_id),
            "due": attrgetter("at"),
            "shape_number": attrgetter("shape"),
            "expect": lambda p: p.expect.value,
            "organization": attrgetter("organization"),
            "ordered": attrgetter("ordered"),
            "resend": attrgetter("resend"),
            "twin": lambda p: p.twin_of is not None,
            "changed": lambda p: -1 if p.changed is None else p.changed,
        },
        event_id=object,
        expect=CATEGORY,
        organization=CATEGORY,
        ordered=bool,
        resend=CATEGORY,
        twin=bool,
    )
    if not events.n.is_monotonic_increasing:
        events = events.sort_values("n", ignore_index=True)
    if not (events.n.to_numpy() == np.arange(len(events))).all():
        raise RunDirError(f"expected {path.name} to number its events 0, 1, 2, …: a number is missing or duplicated")
    return events.drop(columns="n").assign(
        shape_number=narrowed(events.shape_number.to_numpy()), changed=narrowed(events.changed.to_numpy())
    )


def journals(run: RunDir, scheduled: int) -> Journals:
    """Read all journals. Raises RunDirError for an attempt at an event that is not in the schedule."""
    parts = [_journal(path) for path in run.journals()]
    attempts = _all([part.attempts for part in parts])
    if len(attempts) and not attempts.event.between(0, scheduled - 1).all():
        odd = attempts.event[~attempts.event.between(0, scheduled - 1)].iloc[0]
        raise RunDirError(f"a journal has event {odd}, but {rundir.SCHEDULE} has 0 to {scheduled - 1}")
    return Journals(
        attempts,
        _together([part.unsent for part in parts]),
        _together([part.given_up for part in parts]),
        min((part.start for part in parts if part.start is not None), default=None),
        [pair for part in parts for pair in part.pairs],
        max((part.clock_error for part in parts), default=0),
    )


def _all(parts: list[pd.DataFrame]) -> pd.DataFrame:
    if not parts:
        columns = _columns()
        return _joined(columns["intent"], columns["send"])
    return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)


def _together(parts: list[Ints]) -> Ints:
    return np.concatenate([np.array([], dtype=np.int64), *parts])


#: Reasons of an attempt by code.
RESENDS = ("", "retry", "at_once", "after_ack", "drain", "later", "other_case", "changed")
_RESENDS = {name: code for code, name in enumerate(RESENDS)}
#: The columns of an attempt that its intent has, and those that its response has.


def _late(line: _Line) -> int:
    """The lateness in nanoseconds that the harness caused.

    An attempt that waited for a free user waited for the target, so only the time until its dispatch counts. An event
    held behind an earlier one of its organization was not due before.
    """
    sent = line.detail.emitted if line.detail.queued else line.invoked_at
    return max(0, sent - line.detail.due - line.detail.held)


_INTENT: dict[str, Callable[[_Line], Any]] = {
    "event": lambda line: line.detail.n,
    "attempt": lambda line: line.attempt or 0,
    "due": lambda line: line.detail.due,
    "late": _late,
    "invoked_at": attrgetter("invoked_at"),
    "resent": lambda line: _RESENDS.get(line.detail.resend, 1),
}
_ANSWER: dict[str, Callable[[_Line], Any]] = {
    "attempt": lambda line: line.attempt or 0,
    "ended_at": lambda line: NEVER if line.ended_at is None else line.ended_at,
    "outcome": lambda line: _CODE.get(line.outcome or "", _INDETERMINATE),
    "status": lambda line: line.detail.status or 0,
    "advised": lambda line: line.detail.retry_after > 0,
}
_EVENT: dict[str, Callable[[_Line], Any]] = {"event": lambda line: line.detail.n}
#: The values of an attempt without a response.
_NO_ANSWER = {"ended_at": NEVER, "outcome": _INDETERMINATE, "status": 0, "advised": False}


def _columns() -> dict[str, Columns[_Line]]:
    """The columns by kind of line."""
    return {
        "intent": Columns(_INTENT, resent=np.int8),
        "send": Columns(_ANSWER, outcome=np.int8, advised=bool),
        "unsent": Columns(_EVENT),
        "give_up": Columns(_EVENT),
    }


def _journal(path: Path) -> Journals:
    by_kind = _columns()
    start: int | None = None
    pairs: list[tuple[int, int]] = []
    error = 0
    for block in blocks(path, _Line):
        for kind, kept in by_kind.items():
            kept.add([line for line in block if line.kind == kind])
        pairs += [(line.invoked_at, line.detail.wall) for line in block if line.kind == Kind.CLOCK]
        error = max([error, *(line.detail.clock_error for line in block)])
        start = next((line.invoked_at for line in block if line.kind == Kind.START), start)
    unsent, given_up = (by_kind[kind].take("event") for kind in ("unsent", "give_up"))
    return Journals(_joined(by_kind["intent"], by_kind["send"]), unsent, given_up, start, pairs, error)


def _joined(intents: Columns[_Line], answers: Columns[_Line]) -> pd.DataFrame:
    """Join each intent with its response; an intent without one is indeterminate."""
    meant = {name: intents.take(name) for name in _INTENT}
    place = pd.Index(answers.take("attempt")).get_indexer(pd.Index(meant["attempt"]))  # -1: the appended value
    answered = {name: _answered(answers.take(name), none)[place] for name, none in _NO_ANSWER.items()}
    answered["status"] = narrowed(answered["status"])
    coded = {"outcome": OUTCOMES, "resent": RESENDS}
    columns = {
        name: _category(column, coded[name]) if name in coded else column
        for name, column in {**meant, **answered}.items()
    }
    return pd.DataFrame(columns, copy=False).drop(columns="attempt")


def _answered(column: Any, none: int) -> Any:
    """The column, and at its end the value of an attempt without a response."""
    return np.append(column, np.array(none, dtype=column.dtype))


def _category(codes: Any, names: Sequence[str]) -> Any:
    return pd.Categorical.from_codes(codes, categories=pd.Index(names))


def with_fates(events: pd.DataFrame, journals: Journals) -> pd.DataFrame:
    """Add each event's outcome: acknowledged if any attempt was, else indeterminate if any was, else refused."""
    attempts, size = journals.attempts, len(events)
    groups = attempts.event.to_numpy()
    acknowledged = (attempts.outcome == "acknowledged").to_numpy()
    best = np.full(size, _UNSENT, dtype=np.int8)
    np.minimum.at(best, groups, attempts.outcome.cat.codes.to_numpy())
    return events.assign(
        due=events.due + (journals.start or 0),
        outcome=_category(best, OUTCOMES),
        attempts=narrowed(count(groups, size)),
        first_invoked=first(attempts.invoked_at.to_numpy(), groups, size),
        first_acknowledged=first(attempts.ended_at.to_numpy()[acknowledged], groups[acknowledged], size),
        unsent=best == _UNSENT,
        given_up=count(journals.given_up, size) > 0,
    )
