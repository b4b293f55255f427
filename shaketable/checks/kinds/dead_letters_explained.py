"""Only poison becomes a dead letter, and every dead letter gives its reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
import numpy as np

from shaketable import plural
from shaketable.checks.check import Anomaly, Column, Finding, Verdict
from shaketable.checks.kinds.content_intact import differing, either_contents, is_later
from shaketable.checks.kinds.findings import counts, failing, members, not_applicable, some, unknown, unseen
from shaketable.checks.kinds.last_seen import causes, while_open
from shaketable.checks.kinds.letters import attempts, in_order
from shaketable.evidence.history.columns import count

if TYPE_CHECKING:
    from shaketable.checks.kinds.findings import Flags
    from shaketable.evidence.history import History


@dataclass(frozen=True)
class DeadLettersExplained:
    """Only events that deserve it are dead-lettered, and each dead letter holds its event, cause, attempts and history.

    poison: events that the store refused on the harness's behalf. undeserved: dead-lettered, well-formed and no poison.
    swallowed: poison that was acknowledged and is neither dead-lettered nor stored. unexplained: a dead letter without
    cause, without at least one attempt, without the times of its first and last failure in that order, or without
    history. altered: its event is not the one that was sent, nor one sent later under its id to a target that may keep
    either. both: stored as well, although no attempt was indeterminate; a target that claims no deduplication may store
    one attempt and dead-letter another.

    Evidence: dead letters, stored rows, the refused rows (poison.jsonl), journals. Neither poison nor a dead
    letter, or a dead letter that nobody could read: unknown. A target that has no dead letters by its own word: not
    applicable.

    Does not prove: that a dead letter raises an alert, or that it can be replayed.
    """

    name: ClassVar[str] = "dead_letters_explained"
    held: ClassVar[str] = "every dead letter deserved to be one"
    anomalies: ClassVar[tuple[Anomaly, ...]] = (
        Anomaly("altered", "altered as a dead letter", "#3fa39a", rank=90),
        Anomaly("undeserved", "wrongly dead-lettered", "#b0704a", rank=100),
        Anomaly("swallowed", "swallowed", "#2a9bb5", rank=110),
        Anomaly("both", "stored and dead", "#7f8f2e", rank=120),
        Anomaly("unexplained", "dead without a reason", "#9a8350", rank=130),
    )
    columns: ClassVar[tuple[Column, ...]] = (
        Column("altered", "stored, or dead-lettered, with other members than were sent", ("altered",), rank=50),
    )

    def judge(self, history: History) -> Finding:
        if history.target.dead_letters is None:
            return not_applicable("the target has no dead letters ([dead_letters])")
        if (finding := unseen(history)) is not None:
            return finding
        if history.dead is None:
            return unknown("dead_letters.jsonl is missing: dead letters were not observed")
        poison = _poison(history)
        if not len(history.dead) and not poison.any():
            return Finding(Verdict.UNKNOWN, counts(poison=0, dead=0), {}, "there was neither poison nor a dead letter")
        sets = _sets(history, poison)
        lists = {"unexplained": list(_unexplained(history)), "altered": list(_altered(history))}
        found = counts(poison=poison, dead=len(history.dead), **sets, **lists)
        why = failing(_MEANING, found)
        verdict = Verdict.FAILED if why else Verdict.PASSED
        if len(unread := history.dead.unreadable.dropna()):
            found |= {"unreadable": len(unread)}
            of = plural.counted(len(unread), "dead letters")
            why = "; ".join(filter(None, [why, f"{of} could not be read: {unread.iloc[0]}"]))
            verdict = Verdict.FAILED if verdict is Verdict.FAILED else Verdict.UNKNOWN
        if found["undeserved"]:
            why = "; ".join(filter(None, [why, while_open(history, sets["undeserved"])]))
        told = [f"commonest causes: {', '.join(commonest)}"] if (commonest := causes(history)) else []
        return Finding(verdict, found, members(history, **sets) | some(**lists), "; ".join([why] * bool(why) + told))


_MEANING = {
    "undeserved": "well-formed events are dead-lettered that nothing is wrong with",
    "swallowed": "poisonous events are neither dead-lettered nor stored",
    "both": "events are stored and dead-lettered, although no attempt was indeterminate",
    "unexplained": "dead letters do not say why",
    "altered": "dead letters do not hold what was sent",
}


def _poison(history: History) -> Flags:
    assert history.events is not None
    flags = np.zeros(len(history.events), dtype=bool)
    if history.poison is not None:
        flags[history.poison[history.poison >= 0]] = True
    return flags


def _sets(history: History, poison: Flags) -> dict[str, Flags]:
    assert history.events is not None
    dead, stored = history.dead_letters_of > 0, history.rows_of > 0
    acknowledged = (history.events.outcome == "acknowledged").to_numpy()
    doubtful = np.zeros(len(dead), dtype=bool)
    doubtful[history.attempts.event[history.attempts.outcome == "indeterminate"].to_numpy()] = True
    if not history.capabilities.deduplicates:  # then each attempt has an end of its own
        doubtful |= count(history.attempts.event[history.attempts.outcome != "refused"].to_numpy(), len(dead)) > 1
    return {
        "undeserved": dead & ~poison & (history.events.expect == "accept").to_numpy(),
        "swallowed": poison & acknowledged & ~dead & ~stored,
        "both": dead & stored & ~doubtful,
    }


def _unexplained(history: History) -> Iterator[str]:
    assert history.dead is not None
    for letter in history.dead[history.dead.unreadable.isna()].itertuples():
        lacking = [name for name, there in _HAS.items() if not there(letter)]
        if lacking:
            yield f"{letter.event_id}: no {', no '.join(lacking)}"


_HAS: dict[str, Any] = {
    "cause": lambda letter: bool(letter.cause),
    "attempts": lambda letter: attempts(letter.attempts) > 0,
    "times of failure": lambda letter: in_order(letter.first_failed_at, letter.last_failed_at),
    "history": lambda letter: bool(letter.history),
}


def _altered(history: History) -> Iterator[str]:
    assert history.dead is not None
    known = history.dead[(history.dead.number >= 0) & history.dead.unreadable.isna()]
    for number, event_id, kept in zip(known.number.tolist(), known.event_id, known.event, strict=True):
        sent = history.contents.sent(number)
        try:
            was = None if sent is None else history.kind.parse(sent)
        except ValueError:
            continue  # malformed: it has no members to compare
        text, adds = _text(bytes(kept)), history.target.stored.adds
        paths = [] if was is None else differing(history.kind, was, text, adds)
        if paths and not (either_contents(history) and is_later(history, number, text)):
            yield f"{event_id}: {', '.join(paths)}"


def _text(kept: bytes) -> bytes:
    """The event's own JSON, also where the target shows it as a string."""
    return msgspec.json.decode(kept, type=str).encode() if kept.startswith(b'"') else kept
