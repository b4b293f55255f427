"""Every stored event equals the event that was sent."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from shaketable import plural
from shaketable.checks.check import Anomaly, Column, Finding, Verdict
from shaketable.checks.kinds.findings import counts, some, unknown, unseen
from shaketable.checks.kinds.losses import by_resend
from shaketable.event import json_text

if TYPE_CHECKING:
    from shaketable.checks.kinds.findings import Flags
    from shaketable.event.kinds import EventKind
    from shaketable.evidence.history import History

#: Most kinds of differences in a sentence.
COMMONEST = 3
#: The kind of a difference behind a path.
_KIND = re.compile(r" \(([a-z][A-Za-z ]*)\)(?:,|$)")
#: In place of paths: the row has other contents, which were sent later.
LATER = "the whole event (sent later under its id)"
#: Stands for the event's own id, so that events of one shape and organization are compared once.
_ID = b"%ID%"


@dataclass(frozen=True)
class ContentIntact:
    """Every stored event equals the event that was sent, member by member.

    Compared as values: numbers as doubles (exactly if the target claims that: capabilities.numbers), timestamps as
    instants cut to microseconds, null as absent; members that the target says it adds (stored.adds) are ignored unless
    they were sent. Of a target's own events, [event] in its
    manifest decides: numbers are exact by default, its instants have its precision, what it ignores is not compared.
    altered: at least one member differs; shown with the members' paths and the kinds of the differences (less than a
    millisecond, another Unicode normalization, null for empty text), never with their values.
    Where an id was sent again with other contents after its acknowledgement, the first contents are right. Both are, if
    the target claims no order or no deduplication or updates its rows, and for an event that became a dead letter or
    was lost in between.

    Evidence: the corpus (each sent event is made from it again, byte for byte) and the stored rows. No stored row of a
    planned, well-formed event, no corpus, or a row that nobody could read: unknown.

    Does not prove: that contents survive later (archives, retention), or that dead letters are whole
    (`dead_letters_explained`).
    """

    name: ClassVar[str] = "content_intact"
    held: ClassVar[str] = "what was stored equals what was sent"
    anomalies: ClassVar[tuple[Anomaly, ...]] = (Anomaly("altered", "altered", "#219c7d", rank=80),)
    columns: ClassVar[tuple[Column, ...]] = (
        Column("altered", "stored, or dead-lettered, with other members than were sent", ("altered",), rank=50),
    )

    def judge(self, history: History) -> Finding:
        if (finding := unseen(history)) is not None:
            return finding
        if not history.contents.shapes:
            return unknown("corpus.jsonl is missing: nobody knows what was sent")
        compared, altered = _compare(history)
        assert history.stored is not None
        unread = history.stored.unreadable.dropna()
        found = counts(compared=compared, altered=altered) | ({"unreadable": len(unread)} if len(unread) else {})
        if altered:
            why = plural.counted(len(altered), "stored rows differ from what was sent") + _commonest(altered)
            return Finding(Verdict.FAILED, found, some(altered=altered), why)
        if len(unread):
            of = plural.counted(len(unread), "stored rows")
            return Finding(Verdict.UNKNOWN, found, {}, f"{of} could not be read: {unread.iloc[0]}")
        return Finding(Verdict.PASSED, found) if compared else unknown("no planned, well-formed event is stored")


def _compare(history: History) -> tuple[int, list[str]]:
    """The number of compared rows, and those that differ, with the paths of the differences."""
    assert history.stored is not None
    comparer, compared, altered = _Comparer(history), 0, []
    either = cache(lambda: _either(history))
    numbers = history.stored.event.where(history.stored.unreadable.isna(), -1).to_numpy()
    for number, stored in zip(numbers, history.contents.stored(), strict=True):
        paths = comparer.paths(number, stored) if number >= 0 else None
        if paths and is_later(history, number, stored):
            paths = [] if either()[number] else [LATER]
        compared += paths is not None
        if paths:
            altered.append(f"{history.ids(np.array([number]))[0]}: {', '.join(paths)}")
    return compared, altered


def _either(history: History) -> Flags:
    """The events of which the contents that were sent later are right, too."""
    if either_contents(history):
        return np.ones(len(history.rows_of), dtype=bool)
    dead = history.dead is not None and history.dead_letters_of > 0
    return np.asarray(by_resend(history) | dead)


def either_contents(history: History) -> bool:
    """Whether the target does not say which of two contents of one id it keeps."""
    return not (history.order_by and history.capabilities.deduplicates) or history.target.stored.updates


def is_later(history: History, number: int, kept: bytes) -> bool:
    """Whether it equals the contents that were sent later under the same id."""
    sent, adds = history.contents.changed(number), history.target.stored.adds
    return sent is not None and not differing(history.kind, history.kind.parse(sent), kept, adds)


def _commonest(altered: list[str]) -> str:
    """The commonest kinds of differences, each with its number of rows."""
    found = Counter(kind for line in altered for kind in set(_KIND.findall(line)))
    told = ", ".join(f"{count:,} × {kind}" for kind, count in found.most_common(COMMONEST))
    return f" ({told})" if told else ""


class _Comparer:
    """Remembers each pair that it compared, for a run sends few shapes many times."""

    def __init__(self, history: History) -> None:
        assert history.events is not None
        self._contents, self._adds, self._kind = history.contents, history.target.stored.adds, history.kind
        self._ids = history.events.event_id.to_numpy()
        self._shapes, self._organizations = (
            history.events.shape_number.to_numpy(),
            history.events.organization.cat.codes.to_numpy(),
        )
        self._known: dict[tuple[object, bytes], list[str] | None] = {}

    def paths(self, number: int, stored: bytes) -> list[str] | None:
        """The differences; None when the sent body is no JSON object, or is missing."""
        kind = int(self._shapes[number]), int(self._organizations[number])
        key = kind, stored.replace(self._ids[number].encode(), _ID)
        if key not in self._known:
            self._known[key] = self._compare(number, stored)
        return self._known[key]

    def _compare(self, number: int, stored: bytes) -> list[str] | None:
        sent = self._contents.sent(number)
        try:
            was = None if sent is None else self._kind.parse(sent)
        except ValueError:
            return None
        return None if was is None else differing(self._kind, was, stored, self._adds)


def differing(kind: EventKind, sent: dict[str, object], kept: bytes, adds: tuple[str, ...]) -> list[str]:
    """The paths that differ, with the kinds of their differences; a value that is no JSON object differs as a whole."""
    try:
        found = kind.differences(sent, kind.parse(json_text.unwrapped(kept)), adds)
        return [f"{path} ({how})" if how else path for path, how in found]
    except (ValueError, RecursionError):
        return ["the whole event"]
