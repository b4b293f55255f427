"""What a comparison shows of one run: each measure with its evidence, or why it cannot be known or does not apply."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import msgspec

from shaketable import plural
from shaketable.checks.check import Verdict
from shaketable.checks.verdict import Judged, VerdictDoc
from shaketable.evidence.history.figures import DEEP, LONG_S

State = Literal["known", "never", "unknown", "not applicable"]


class Value(msgspec.Struct, frozen=True):
    """A number, or why there is none. What nobody saw is unknown, never 0."""

    state: State
    number: float | None = None
    why: str = ""


class Measure(NamedTuple):
    """One column: what it is called, in what unit, what it means."""

    name: str
    unit: str
    about: str
    of: Callable[[VerdictDoc], Value]


def _known(number: float) -> Value:
    return Value("known", number)


def _unknown(why: str) -> Value:
    return Value("unknown", why=why)


def _without(found: Judged | None, name: str) -> Value | None:
    """Why a check's counts say nothing; None when they do."""
    if found is None:
        return _unknown(f"{name} was not judged")
    if found.verdict is Verdict.NOT_APPLICABLE:
        return Value("not applicable", why=found.why)
    return _unknown(found.why) if found.verdict is Verdict.UNKNOWN else None


def _counted(check: str, count: str) -> Callable[[VerdictDoc], Value]:
    """A set that a check names: known where the check came to a verdict."""

    def of(doc: VerdictDoc) -> Value:
        found = doc.checks.get(check)
        without = _without(found, check)
        return without or _sure(doc, _number(found, count))

    return of


def _sure(doc: VerdictDoc, number: float | None) -> Value:
    """None of it in a run that cannot be judged proves nothing: perhaps nothing was broken. Some of it is there."""
    if number is None:
        return _unknown("it was not counted")
    return _known(number) if number or not doc.reasons else _unknown(doc.reasons[0])


def _number(found: Judged | None, count: str) -> float | None:
    return None if found is None else found.counts.get(count)


def _unexplained(doc: VerdictDoc) -> Value:
    kept, letters = doc.checks.get("no_loss"), doc.checks.get("dead_letters_explained")
    undelivered, dead = _number(kept, "undelivered"), _number(letters, "dead")
    none = letters is not None and letters.verdict is Verdict.NOT_APPLICABLE  # the target has no dead letters
    odd = max(_number(letters, name) or 0 for name in ("undeserved", "unexplained", "swallowed", "both"))
    if found := (undelivered or 0) + odd:
        return _known(found)
    if undelivered is None or kept is None:
        return _without(kept, "no_loss") or _unknown("it was not counted")
    return _sure(doc, 0) if none or dead is not None else _unknown(letters.why if letters else "nobody judged them")


def _summed(*sets: tuple[str, str]) -> Callable[[VerdictDoc], Value]:
    """Sets of several checks together: what is there is there, and 0 only where every check came to a verdict."""

    def of(doc: VerdictDoc) -> Value:
        values = [_counted(check, count)(doc) for check, count in sets]
        total = sum(_number(doc.checks.get(check), count) or 0 for check, count in sets)
        unknown = next((value for value in values if value.state == "unknown"), None)
        if total or unknown is None:
            return _known(total) if total else next((v for v in values if v.state == "known"), values[0])
        return unknown

    return of


#: Checks whose breach other columns show.
SHOWN = (
    "no_loss",
    "no_duplicates",
    "order_kept",
    "content_intact",
    "nothing_invented",
    "refuses_rightly",
    "dead_letters_explained",
)


def _others(doc: VerdictDoc) -> Value:
    counting = {name: found for name, found in doc.checks.items() if found.required and name not in SHOWN}
    failed = sum(found.verdict is Verdict.FAILED for found in counting.values())
    unknown = next((name for name, found in counting.items() if found.verdict is Verdict.UNKNOWN), "")
    if not counting:
        return Value("not applicable", why="the scenario asks for no other law")
    return _unknown(f"{unknown} was not judged") if unknown and not failed else _sure(doc, failed)


def _figure(name: str, why: str) -> Callable[[VerdictDoc], Value]:
    """A figure; in a run that cannot be judged it is not comparable."""

    def of(doc: VerdictDoc) -> Value:
        number = doc.figures.get(name)
        if doc.reasons:
            return _unknown(doc.reasons[0])
        return _unknown(why) if number is None else _known(number)

    return of


def _recovery(doc: VerdictDoc) -> Value:
    if not doc.faults:
        return Value("not applicable", why="nothing was broken")
    seen = doc.figures.get("backlog_longest") is not None
    why = "no probe saw the backlog gone" if seen else "the queue's length is not known"
    found = _figure("heal_to_empty_backlog_s", why)(doc)
    left = doc.figures.get("backlog_left")
    if found.state == "unknown" and not doc.reasons and left:
        return Value("never", why=plural.counted(left, "events were still queued when all was over"))
    return found


def _drained(doc: VerdictDoc) -> Value:
    found = _figure("drained_per_s", "commit times or the queue's length are not known")(doc)
    if found.state == "known" or doc.reasons:
        return found
    if doc.figures.get("stored_per_s") is None or doc.figures.get("backlog_longest") is None:
        return found
    if _recovery(doc).state == "never":
        return Value("never", why="the backlog never went")
    return Value("not applicable", why=f"no backlog of {DEEP} events more than usual took {LONG_S:g} s to go")


#: The columns, in order.
MEASURES = (
    Measure(
        "lost",
        "",
        "acknowledged, and in the end neither stored nor dead-lettered nor queued",
        _counted("no_loss", "lost"),
    ),
    Measure(
        "doubled",
        "",
        "stored more than once, although its client may have sent it again",
        _counted("no_duplicates", "doubled"),
    ),
    Measure(
        "by itself", "", "of those doubled: stored more often than it was sent", _counted("no_duplicates", "unprovoked")
    ),
    Measure(
        "out of order",
        "",
        "stored before an event of the same organization that had ended before it began",
        _counted("order_kept", "overtaken"),
    ),
    Measure(
        "altered",
        "",
        "stored, or dead-lettered, with other members than were sent",
        _summed(("content_intact", "altered"), ("dead_letters_explained", "altered")),
    ),
    Measure(
        "invented",
        "",
        "kept although nobody sent it, or although every attempt was refused",
        _summed(("nothing_invented", "foreign"), ("nothing_invented", "unsent"), ("nothing_invented", "refused")),
    ),
    Measure(
        "unexplained",
        "",
        "acknowledged and still queued at the end, dead-lettered without deserving it or "
        "without a reason, poison that is nowhere, or stored and dead-lettered at once",
        _unexplained,
    ),
    Measure(
        "misanswered",
        "",
        "malformed and accepted or answered with 5xx, or well-formed and refused for good",
        _summed(("refuses_rightly", "accepted"), ("refuses_rightly", "stumbled"), ("refuses_rightly", "refused")),
    ),
    Measure("other laws", "", "checks that count and failed, beside those of the columns before", _others),
    Measure(
        "recovery",
        "s",
        "from the last healing until the queue is no longer than it was before the first fault",
        _recovery,
    ),
    Measure(
        "drain rate", "/s", "events stored a second, new ones too, from the longest backlog until it was gone", _drained
    ),
    Measure(
        "intake p99",
        "ms",
        "from the time at which an event was meant to be sent to its first acknowledgement, resends included",
        _figure("intake_p99_ms", "nothing was acknowledged"),
    ),
    Measure(
        "memory",
        "MiB",
        "resident, all processes of the target together at their highest, shared pages as often as shared",
        _figure("memory_peak_mib", "not every process could be watched"),
    ),
)
