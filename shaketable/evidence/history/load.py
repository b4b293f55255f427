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
from shaketable.evidence.history.columns import NEVER, Ints, blocks, count, first, table
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
    wall: Nanoseconds = 0


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


def schedule(path: Path, key: Callable[[str], str] = ids.normal) -> pd.DataFrame:
    """One row per planned event, by number; `key` is the form in which ids are compared."""
    events = table(
        blocks(path, Planned),
        {
            "n": attrgetter("n"),
            "event_id": lambda p: key(p.event_id),
            "offset": attrgetter("at"),
            "shape_number": attrgetter("shape"),
            "expect": lambda p: p.expect.value,
            "organization": attrgetter("organization"),
            "ordered": attrgetter("ordered"),
            "resend": attrgetter("resend"),
            "twin_of": attrgetter("twin_of"),
        },
        event_id=object,
        expect=object,
        organization=object,
        ordered=bool,
        resend=object,
        twin_of=object,
    )
    events = events.sort_values("n", ignore_index=True)
    if not (events.n.to_numpy() == np.arange(len(events))).all():
        raise RunDirError(f"expected {path.name} to number its events 0, 1, 2, …: a number is missing or duplicated")
    return events.drop(columns="n")


def journals(run: RunDir, scheduled: int) -> Journals:
    """Read all journals. Raises RunDirError for an attempt at an event that is not in the schedule."""
    parts = [_journal(path) for path in run.journals()]
    attempts = pd.concat([part.attempts for part in parts], ignore_index=True) if parts else _joined([], [])
    if len(attempts) and not attempts.event.between(0, scheduled - 1).all():
        odd = attempts.event[~attempts.event.between(0, scheduled - 1)].iloc[0]
        raise RunDirError(f"a journal has event {odd}, but {rundir.SCHEDULE} has 0 to {scheduled - 1}")
    return Journals(
        attempts,
        _together([part.unsent for part in parts]),
        _together([part.given_up for part in parts]),
        min((part.start for part in parts if part.start is not None), default=None),
        [pair for part in parts for pair in part.pairs],
    )


def _together(parts: list[Ints]) -> Ints:
    return np.concatenate([np.array([], dtype=np.int64), *parts])


def _journal(path: Path) -> Journals:
    by_kind: dict[str, list[Ints]] = {"intent": [], "send": [], "unsent": [], "give_up": []}
    start: int | None = None
    pairs: list[tuple[int, int]] = []
    for block in blocks(path, _Line):
        for kind, kept in by_kind.items():
            kept.append(_numbers([line for line in block if line.kind == kind]))
        pairs += [(line.invoked_at, line.detail.wall) for line in block if line.kind == Kind.CLOCK]
        start = next((line.invoked_at for line in block if line.kind == Kind.START), start)
    events = {kind: _together([part[:, 0] for part in by_kind[kind]]) for kind in ("unsent", "give_up")}
    return Journals(_joined(by_kind["intent"], by_kind["send"]), events["unsent"], events["give_up"], start, pairs)


_COLUMNS = (
    "event",
    "attempt",
    "due",
    "emitted",
    "held",
    "queued",
    "invoked_at",
    "ended_at",
    "outcome",
    "status",
    "resent",
)


def _numbers(lines: list[_Line]) -> Ints:
    """One row of numbers per line, in the order of `_COLUMNS`."""
    rows = [
        (
            line.detail.n,
            line.attempt or 0,
            line.detail.due,
            line.detail.emitted,
            line.detail.held,
            line.detail.queued,
            line.invoked_at,
            NEVER if line.ended_at is None else line.ended_at,
            _CODE.get(line.outcome or "", _INDETERMINATE),
            line.detail.status or 0,
            _RESENDS.get(line.detail.resend, 1),
        )
        for line in lines
    ]
    return np.array(rows, dtype=np.int64).reshape(-1, len(_COLUMNS))


#: Reasons of an attempt by code.
RESENDS = ("", "retry", "at_once", "after_ack", "drain")
_RESENDS = {name: code for code, name in enumerate(RESENDS)}


#: The values of an attempt without a response.
_NO_ANSWER = {"ended_at": NEVER, "outcome": _INDETERMINATE, "status": 0}


def _joined(intents: list[Ints], sends: list[Ints]) -> pd.DataFrame:
    """Join each intent with the response in its send; an intent without one is indeterminate."""
    meant, sent = _frame(intents), _frame(sends)
    place = pd.Index(sent.attempt).get_indexer(pd.Index(meant.attempt))  # -1 selects the appended value: no response
    answers = {name: np.append(sent[name].to_numpy(), none)[place] for name, none in _NO_ANSWER.items()}
    return meant.assign(
        ended_at=answers["ended_at"],
        status=answers["status"],
        queued=meant.queued.astype(bool),
        outcome=_category(answers["outcome"], OUTCOMES),
        resent=_category(meant.resent, RESENDS),
    )


def _category(codes: Any, names: Sequence[str]) -> Any:
    return pd.Categorical.from_codes(codes, categories=pd.Index(names))


def _frame(parts: list[Ints]) -> pd.DataFrame:
    rows = np.concatenate([np.empty((0, len(_COLUMNS)), dtype=np.int64), *parts])
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def with_fates(events: pd.DataFrame, journals: Journals) -> pd.DataFrame:
    """Add each event's outcome: acknowledged if any attempt was, else indeterminate if any was, else refused."""
    attempts, size = journals.attempts, len(events)
    groups = attempts.event.to_numpy()
    acknowledged = attempts[attempts.outcome == "acknowledged"]
    best = np.full(size, _UNSENT, dtype=np.int8)
    np.minimum.at(best, groups, attempts.outcome.cat.codes.to_numpy())
    return events.assign(
        due=events.offset + (journals.start or 0),
        outcome=_category(best, OUTCOMES),
        attempts=count(groups, size),
        first_invoked=first(attempts.invoked_at.to_numpy(), groups, size),
        first_acknowledged=first(acknowledged.ended_at.to_numpy(), acknowledged.event.to_numpy(), size),
        unsent=best == _UNSENT,
        given_up=count(journals.given_up, size) > 0,
    )
