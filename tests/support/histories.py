"""Literal histories in three lines: written as a run directory, read back by the very code that reads a real one.

    history(sent("a", at=0).acknowledged(5), stored("a", at=7), dead("b"))

Times are seconds after T0. What a part does not say is as a sane run would have it.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from shaketable import rundir
from shaketable.checks import to_spec
from shaketable.checks.check import Check
from shaketable.evidence.history import History
from shaketable.op import Kind
from shaketable.rundir import RunDir
from tests.support.book import END, GOOD, JOURNAL, Book, Part, ns, us, written
from tests.support.sends import Sent, Try


def sent(event_id: str, at: float = 0, **more: Any) -> Sent:
    """An event with one attempt, so far without an answer."""
    return Sent(event_id, more.pop("due", at), (Try(at),), **more)


def unsent(event_id: str, at: float = 0) -> Sent:
    """An event of the schedule that was never sent."""
    return Sent(event_id, at, ())


def stored(
    event_id: str | None, at: float | None = 1, xid: str | None = "", position: int | None = 0, event: Any = ...
) -> Part:
    """One row; by default of a transaction of its own, holding what was sent."""

    def write(book: Book) -> None:
        row_number = len(book.lines.setdefault(rundir.STORED, []))
        book.line(
            rundir.STORED, event_id=event_id, position=position, xid=f"own-{row_number}" if xid == "" else xid,
            committed_at=None if at is None else us(at), event=_content(book, event_id) if event is ... else event,
        )  # fmt: skip

    return write


def dead(event_id: str, **more: Any) -> Part:
    """One dead letter, with all that it should tell."""
    told = {
        "cause": "22023", "attempts": 1, "first_failed_at": "2027-01-15T08:00:00Z",
        "last_failed_at": "2027-01-15T08:00:00Z", "history": [{"cause": "22023"}],
    }  # fmt: skip

    def write(book: Book) -> None:
        book.line(rundir.DEAD_LETTERS, event_id=event_id, **({"event": _content(book, event_id)} | told | more))

    return write


def unreadable(file: str, event_id: str | None = None, more: bool = False) -> Part:
    """A stored row or a dead letter that nobody could read."""
    return lambda book: book.line(file, event_id=event_id, unreadable="DataError (22000)", more=more)


def _content(book: Book, event_id: str | None) -> dict[str, Any]:
    """What was sent under that id, as far as the book knows it already."""
    for planned in book.lines.get(rundir.SCHEDULE, []):
        if event_id is not None and planned.event_id == event_id:
            return dict(msgspec.json.decode(book.lines[rundir.CORPUS][planned.n].wire(event_id, planned.organization)))
    return {"eventId": event_id, **GOOD}


def queued(length: int | None, key: str = "events:0", *, parked: bool = False) -> Part:
    """What the queue held at the end."""
    more = {"parked": True} if parked else {}
    return lambda book: book.line(rundir.QUEUE, key=key, length=length, **more)


def fault(
    at: float,
    until: float,
    label: str = "postgres away",
    *,
    blocks_store: bool = False,
    blocks_intake: bool = False,
    landed: bool | None = True,
    **spec: Any,
) -> Part:
    """A fault that was injected, witnessed (unless `landed` is None) and healed."""

    def write(book: Book) -> None:
        number = len(book.timeline)
        book.timeline.append({"at_s": at, "until_s": until, "label": label, "fault": {"kind": "down", **spec}})
        detail = {"fault": number, "label": label, "blocks_store": blocks_store, "blocks_intake": blocks_intake}
        book.op(rundir.FAULTS, "injector", Kind.INJECT, at, at, **detail)
        if landed is not None:
            told = {"landed": landed, "figure": 1.0, "unit": "links", "text": "seen"}
            book.op(rundir.FAULTS, "injector", Kind.WITNESS, at, at, **detail, **told)
        book.op(rundir.FAULTS, "injector", Kind.HEAL, until, until, **detail)

    return write


def looked(at: float, figure: float, *, landed: bool = True) -> Part:
    """One more look at the last fault."""

    def write(book: Book) -> None:
        detail = {
            "fault": len(book.timeline) - 1,
            "landed": landed,
            "figure": figure,
            "unit": "cuts",
            "text": f"{at:g}",
        }
        book.op(rundir.FAULTS, "injector", Kind.WITNESS, at, at, **detail)

    return write


def sunk(process: str, *times: float, by: str | None = None, service: str = "postgres") -> Part:
    """Connection attempts that a sink took."""

    def write(book: Book) -> None:
        for at in times:
            book.op(
                rundir.FAULTS,
                "sink",
                Kind.SINK,
                at,
                link=f"{process}-{service}",
                process=process,
                by=by,
                service=service,
            )

    return write


def probe(*times: float, took: float = 0, **reading: Any) -> Part:
    """The same reading at several times; answered, healthy, closed and drained unless it says otherwise."""
    sane = {"answered": True, "health": 100, "breaker": "CLOSED", "queue": 0}

    def write(book: Book) -> None:
        for at in times:
            book.op(rundir.PROBES, "probe", Kind.PROBE, at, at + took, **(sane | reading))

    return write


def counted(process: str, *readings: tuple[float, float], incarnation: int = 1, counter: str = "stored") -> Part:
    """A process showed its counter: (time, value) each."""

    def write(book: Book) -> None:
        for at, value in readings:
            told = {"incarnation": str(incarnation), counter: value}
            book.op(rundir.PROBES, process, Kind.COUNTERS, at, at, **told)

    return write


def every(step: float, begin: float, end: float) -> list[float]:
    """Times from `begin` to before `end`."""
    return [begin + i * step for i in range(max(0, round((end - begin) / step)))]


def exited(process: str, at: float, incarnation: int = 1, asked: bool = True) -> Part:
    """A process ended."""
    return lambda book: book.op(rundir.PROBES, process, Kind.EXIT, at, incarnation=incarnation, asked=asked, code=-9)


def started(process: str, at: float = -1, incarnation: int = 1) -> Part:
    """A process was started."""
    return lambda book: book.op(rundir.PROBES, process, Kind.START_PROCESS, at, incarnation=incarnation)


def breaker(
    *states: tuple[float, str],
    process: str = "worker-1",
    incarnation: int = 1,
    first_seq: int = 0,
    before: str | None = None,
) -> Part:
    """The transitions of one incarnation: (time, state it went to), the first of them from `before`."""

    def write(book: Book) -> None:
        last = before
        for seq, (at, to) in enumerate(states, first_seq):
            book.lines.setdefault(rundir.TRANSITIONS, []).append({
                "process": process, "incarnation": str(incarnation), "seq": seq, "from": last, "to": to,
                "at": "2027-01-15T08:00:00Z", "monotonic_ns": ns(at), "reason": "a test's",
            })  # fmt: skip
            last = to

    return write


def received(by: str, *times: float, what: str = "statement", ms: float = 0) -> Part:
    """What Postgres received from a session of that name; a statement is logged when it ends."""

    def write(book: Book) -> None:
        for at in times:
            book.line(rundir.RECEIVED, at_us=us(at + ms / 1000), by=by, what=what, ms=ms)

    return write


def phase(name: str, at: float) -> Part:
    """A phase began."""
    return lambda book: book.op(rundir.PHASES, "run", Kind.PHASE, at, name=name)


def clock(at: float, off_ms: float = 0) -> Part:
    """A clock pair, its wall clock off by so much."""
    return lambda book: book.op(rundir.PHASES, "run", Kind.CLOCK, at, wall=us(at) * 1000 + round(off_ms * 1e6))


def poisoned(*event_ids: str) -> Part:
    """What the harness made poison."""

    def write(book: Book) -> None:
        for event_id in event_ids:
            book.line(rundir.POISON, event_id=event_id, refused=1)

    return write


def empty(file: str) -> Part:
    """A file that was written and holds nothing."""
    return lambda book: book.lines.setdefault(file, []).clear()


def absent(*files: str) -> Part:
    """Files that were not written."""
    return lambda book: book.absent.update(files)


def target(**facts: Any) -> Part:
    """What the target says of itself, beyond the sane default."""

    def write(book: Book) -> None:
        for name, value in facts.items():
            book.target[name] = {**book.target.get(name, {}), **value} if isinstance(value, dict) else value

    return write


def asks(*checks: Check, settings: dict[str, Any] | None = None, budgets: Any = (), **load: Any) -> Part:
    """What the scenario asks: the checks that count, its bounds, its settings, and budgets of the user's own."""
    more = {"settings": settings or {}, "budgets": list(budgets)}
    return lambda book: book.scenario.update(checks=[to_spec(check) for check in checks], load=load, **more)


_SANE_TARGET = {
    "name": "literal",
    "timing": {"failure_threshold": 3, "recovery_s": 3, "lease_s": 3, "open_within_s": 4, "health_grace_s": 1,
               "attempt_timeout_s": 1},
    "capabilities": {"order_by": "organizationId", "breaker": True, "health": True},
    "stored": {"sql": "", "updates": False, "adds": []}, "dead_letters": {"sql": ""}, "queue": {"redis": []},
}  # fmt: skip


def run_of(parts: Iterable[Part], folder: Path | None = None) -> RunDir:
    """The parts as a run directory; what was kept is observed, and nothing, unless a part says more."""
    book = Book(target={**_SANE_TARGET}, scenario={"schema": 1, "name": "literal", "story": "a test's", "seed": 1})
    for file in (rundir.SCHEDULE, rundir.CORPUS, rundir.STORED, rundir.DEAD_LETTERS, rundir.QUEUE):
        book.lines[file] = []
    for file in (rundir.FAULTS, rundir.PROBES, rundir.PHASES, JOURNAL):
        book.ops[file] = []
    book.op(JOURNAL, "load-0", Kind.START, 0)
    # events first, so that whatever else is said of them may stand in any order
    for part in sorted(parts, key=lambda part: not isinstance(part, Sent)):
        part(book)
    _complete(book)
    return written(book, folder or Path(tempfile.mkdtemp(prefix="history-")))


def _complete(book: Book) -> None:
    if not any(op.kind is Kind.PHASE for op in book.ops[rundir.PHASES]):
        for name, at in (("baseline", 0), ("shake", 10), ("heal", 80), ("drain", 90), ("observe", END)):
            phase(name, at)(book)
    if not any(op.kind is Kind.CLOCK for op in book.ops[rundir.PHASES]):
        for at in range(-10, END + 11, 10):
            clock(at)(book)


def history(*parts: Part) -> History:
    """The parts as a history; its run directory lives as long as it does."""
    run = run_of(parts)
    found = History.load(run)
    weakref.finalize(found, shutil.rmtree, run.path, ignore_errors=True)
    return found
