"""The measures of a run in a comparison: a value, or the reason why it is unknown or not applicable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import msgspec

from shaketable import plural
from shaketable.checks import CHECKS
from shaketable.checks.check import Column, Verdict
from shaketable.checks.verdict import Judged, VerdictDoc
from shaketable.evidence.history.figures import DEEP, LONG_S

State = Literal["known", "never", "unknown", "not applicable"]


class Value(msgspec.Struct, frozen=True):
    """A number, or the reason for its absence. An unobserved value is unknown, never 0."""

    state: State
    number: float | None = None
    why: str = ""


class Measure(NamedTuple):
    """One column: its name, unit and meaning."""

    name: str
    unit: str
    about: str
    of: Callable[[VerdictDoc], Value]


def _known(number: float) -> Value:
    return Value("known", number)


def _unknown(why: str) -> Value:
    return Value("unknown", why=why)


def _without(found: Judged | None, name: str) -> Value | None:
    """The value of a check without usable counts; None if they are usable."""
    if found is None:
        return _unknown(f"{name} was not judged")
    if found.verdict is Verdict.NOT_APPLICABLE:
        return Value("not applicable", why=found.why)
    return _unknown(found.why) if found.verdict is Verdict.UNKNOWN else None


def _counted(check: str, count: str) -> Callable[[VerdictDoc], Value]:
    """The size of a check's set, known if the check reached a verdict."""

    def of(doc: VerdictDoc) -> Value:
        found = doc.checks.get(check)
        without = _without(found, check)
        return without or _sure(doc, _number(found, count))

    return of


def _sure(doc: VerdictDoc, number: float | None) -> Value:
    """A positive number is known. Zero is unknown in an unjudged run, in which perhaps no fault landed."""
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
    """The total of sets of several checks; 0 only if every check reached a verdict."""

    def of(doc: VerdictDoc) -> Value:
        values = [_counted(check, count)(doc) for check, count in sets]
        total = sum(_number(doc.checks.get(check), count) or 0 for check, count in sets)
        unknown = next((value for value in values if value.state == "unknown"), None)
        if total or unknown is None:
            return _known(total) if total else next((v for v in values if v.state == "known"), values[0])
        return unknown

    return of


def _others(doc: VerdictDoc) -> Value:
    counting = {name: found for name, found in doc.checks.items() if found.required and not _has_columns(name)}
    failed = sum(found.verdict is Verdict.FAILED for found in counting.values())
    unknown = next((name for name, found in counting.items() if found.verdict is Verdict.UNKNOWN), "")
    if not counting:
        return Value("not applicable", why="the scenario asks for no other law")
    return _unknown(f"{unknown} was not judged") if unknown and not failed else _sure(doc, failed)


def _figure(name: str, why: str) -> Callable[[VerdictDoc], Value]:
    """A figure; unknown in an unjudged run, in which it is not comparable."""

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
        return Value("never", why="the backlog never drained")
    return Value("not applicable", why=f"no backlog of {DEEP} events more than usual took {LONG_S:g} s to go")


def _has_columns(check: str) -> bool:
    """Whether columns of its own show a breach of this check."""
    return bool(getattr(CHECKS.kinds().get(check), "columns", ()))


def of_checks() -> list[Measure]:
    """The columns that the checks name, in order of rank."""
    found: dict[str, tuple[Column, list[tuple[str, str]]]] = {}
    for check, kind in CHECKS.kinds().items():
        for column in getattr(kind, "columns", ()):
            found.setdefault(column.name, (column, []))[1].extend((check, each) for each in column.sets)
    ranked = [(column.rank, Measure(column.name, "", column.about, _of_sets(sets))) for column, sets in found.values()]
    return [measure for _, measure in sorted([*ranked, _UNEXPLAINED], key=lambda pair: pair[0])]


def _of_sets(sets: list[tuple[str, str]]) -> Callable[[VerdictDoc], Value]:
    return _counted(*sets[0]) if len(sets) == 1 else _summed(*sets)


#: A column of two checks, with its rank.
_UNEXPLAINED = (
    70,
    Measure(
        "unexplained",
        "",
        "acknowledged and still queued at the end, dead-lettered without deserving it or "
        "without a reason, poison that is nowhere, or stored and dead-lettered at once",
        _unexplained,
    ),
)
#: The columns on the fate of events, in order.
EVENT_MEASURES = (
    *of_checks(),
    Measure("other laws", "", "checks that count and failed, beside those of the columns before", _others),
)
#: All columns, in order.
MEASURES = (
    *EVENT_MEASURES,
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
