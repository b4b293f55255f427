"""Literal histories in three lines: written as a run directory, read back by the very code that reads a real one.

    history(sent("a", at=0).acknowledged(5), stored("a", at=7), dead("b"))

Times are seconds after T0. What a part does not say is as a sane run would have it.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from shaketable import rundir
from shaketable.check import Check
from shaketable.checks import to_spec
from shaketable.clock import SECOND
from shaketable.history import POISON, History
from shaketable.load import Planned
from shaketable.mix.shape import Expect, Shape
from shaketable.op import Journal, Kind, Op, Outcome, Scalar
from shaketable.rundir import RunDir

#: T0 on both clocks, in seconds.
MONOTONIC, WALL = 1_000, 1_800_000_000
#: Seconds that a literal run lasts, unless a part says later.
END = 100
GOOD = {"timestamp": "2024-01-01T00:00:00Z", "action": "test", "status": "success"}


def ns(seconds: float) -> int:
    """Monotonic nanoseconds of a time in seconds after T0."""
    return MONOTONIC * SECOND + round(seconds * SECOND)


def us(seconds: float) -> int:
    """Wall microseconds of the same."""
    return WALL * 1_000_000 + round(seconds * 1_000_000)


@dataclass
class Book:
    """The lines of a run directory, file by file, as its parts put them there."""

    ops: dict[str, list[Op]] = field(default_factory=dict)
    lines: dict[str, list[Any]] = field(default_factory=dict)
    timeline: list[dict[str, Any]] = field(default_factory=list)
    scenario: dict[str, Any] = field(default_factory=dict)
    target: dict[str, Any] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def op(self, file: str, process: str, kind: Kind, at: float, until: float | None = None, /, **more: Any) -> None:
        outcome, event_id, attempt = (more.pop(name, None) for name in ("outcome", "event_id", "attempt"))
        ended = None if until is None else ns(until)
        self.ops.setdefault(file, []).append(Op(process, kind, ns(at), ended, outcome, event_id, attempt, more))

    def line(self, file: str, **line: Any) -> None:
        self.lines.setdefault(file, []).append(line)


JOURNAL = "journal-load-0.jsonl"
Part = Callable[[Book], None]


@dataclass(frozen=True)
class Try:
    """One attempt; `until` is None when no answer was ever written."""

    at: float
    until: float | None = None
    outcome: Outcome | None = None
    status: int | None = None
    resend: str = ""


@dataclass(frozen=True)
class Sent:
    """An event with its attempts."""

    event_id: str
    due: float
    tries: tuple[Try, ...]
    organization: str | None = "org"
    expect: str = "accept"
    body: dict[str, Any] = field(default_factory=lambda: dict(GOOD))
    twin_of: str | None = None
    ordered: bool = False
    late: float = 0.0  # seconds that the harness itself was late
    given_up: bool = False

    def again(self, at: float, resend: str = "retry") -> Sent:
        """The next attempt; the one before it, if it has no answer, never gets one."""
        return replace(self, tries=(*self.tries, Try(at, resend=resend)))

    def acknowledged(self, at: float) -> Sent:
        return self._answered(at, Outcome.ACKNOWLEDGED, 202)

    def refused(self, at: float, status: int | None = 400) -> Sent:
        return self._answered(at, Outcome.REFUSED, status)

    def indeterminate(self, at: float, status: int | None = None) -> Sent:
        return self._answered(at, Outcome.INDETERMINATE, status)

    def _answered(self, at: float, outcome: Outcome, status: int | None) -> Sent:
        return replace(
            self, tries=(*self.tries[:-1], replace(self.tries[-1], until=at, outcome=outcome, status=status))
        )

    def __call__(self, book: Book) -> None:
        n = len(book.lines.setdefault(rundir.SCHEDULE, []))
        book.lines.setdefault(rundir.CORPUS, []).append(Shape(n, Expect(self.expect), "a test's", body=self.body))
        book.lines[rundir.SCHEDULE].append(
            Planned(n, round(self.due * SECOND), self.event_id, n, Expect(self.expect), self.organization, self.ordered,
                    twin_of=self.twin_of)
        )  # fmt: skip
        for each in self.tries:
            self._write(book, each, n)
        if self.given_up:
            book.op(JOURNAL, "load-0", Kind.GIVE_UP, self.due, event_id=self.event_id, n=n)

    def _write(self, book: Book, each: Try, n: int) -> None:
        number, emitted = next(book.numbers), ns(each.at)
        detail: dict[str, Scalar] = {"n": n, "due": ns(self.due), "emitted": emitted}
        if not each.resend and each.at - self.late > self.due:
            detail["held"] = ns(each.at) - ns(self.due + self.late)
        if each.resend:
            detail["resend"] = each.resend
        common = {"event_id": self.event_id, "attempt": number}
        book.op(JOURNAL, "load-0", Kind.INTENT, each.at, **common, **detail)
        if each.until is not None:
            book.op(
                JOURNAL,
                "load-0",
                Kind.SEND,
                each.at,
                each.until,
                outcome=each.outcome,
                n=n,
                status=each.status,
                **common,
            )


def sent(event_id: str, at: float = 0, **more: Any) -> Sent:
    """An event with one attempt, so far without an answer."""
    return Sent(event_id, more.pop("due", at), (Try(at),), **more)


def unsent(event_id: str, at: float = 0) -> Sent:
    """An event of the schedule that was never sent."""
    return Sent(event_id, at, ())


def stored(
    event_id: str, at: float | None = 1, xid: str | None = "", position: int | None = 0, event: Any = ...
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


def _content(book: Book, event_id: str) -> dict[str, Any]:
    """What was sent under that id, as far as the book knows it already."""
    for planned in book.lines.get(rundir.SCHEDULE, []):
        if planned.event_id == event_id:
            return dict(msgspec.json.decode(book.lines[rundir.CORPUS][planned.n].wire(event_id, planned.organization)))
    return {"eventId": event_id, **GOOD}


def queued(length: int | None) -> Part:
    """What the queue held at the end."""
    return lambda book: book.line(rundir.QUEUE, key="events:0", length=length)


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


def sunk(process: str, *times: float, by: str | None = None) -> Part:
    """Connection attempts that a sink took."""

    def write(book: Book) -> None:
        for at in times:
            book.op(
                rundir.FAULTS,
                "sink",
                Kind.SINK,
                at,
                link=f"{process}-postgres",
                process=process,
                by=by,
                service="postgres",
            )

    return write


def probe(*times: float, **reading: Any) -> Part:
    """The same reading at several times; answered, healthy, closed and drained unless it says otherwise."""
    sane = {"answered": True, "health": 100, "breaker": "CLOSED", "queue": 0}

    def write(book: Book) -> None:
        for at in times:
            book.op(rundir.PROBES, "probe", Kind.PROBE, at, at, **(sane | reading))

    return write


def every(step: float, begin: float, end: float) -> list[float]:
    """Times from `begin` to before `end`."""
    return [begin + i * step for i in range(max(0, round((end - begin) / step)))]


def exited(process: str, at: float, incarnation: int = 1, asked: bool = True) -> Part:
    """A process ended."""
    return lambda book: book.op(rundir.PROBES, process, Kind.EXIT, at, incarnation=incarnation, asked=asked, code=-9)


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
            book.line(POISON, event_id=event_id, refused=1)

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
            book.target[name] = {**book.target[name], **value} if isinstance(value, dict) else value

    return write


def asks(*checks: Check, **load: Any) -> Part:
    """What the scenario asks: the checks that count, and its bounds."""
    return lambda book: book.scenario.update(checks=[to_spec(check) for check in checks], load=load)


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
    return _written(book, folder or Path(tempfile.mkdtemp(prefix="history-")))


def _complete(book: Book) -> None:
    if not any(op.kind is Kind.PHASE for op in book.ops[rundir.PHASES]):
        for name, at in (("baseline", 0), ("shake", 10), ("heal", 80), ("drain", 90), ("observe", END)):
            phase(name, at)(book)
    if not any(op.kind is Kind.CLOCK for op in book.ops[rundir.PHASES]):
        for at in range(-10, END + 11, 10):
            clock(at)(book)


def _written(book: Book, folder: Path) -> RunDir:
    run = RunDir(folder)
    rundir.write_json(run / rundir.SCENARIO, {**book.scenario, "timeline": book.timeline})
    rundir.write_json(run / rundir.TARGET, book.target)
    for file, lines in book.lines.items():
        if file not in book.absent:
            rundir.write_lines(run / file, lines)
    for file in book.ops.keys() - book.absent:
        journal = Journal(run / file)
        for op in book.ops[file]:
            journal.write(op)
        journal.close()
    return run


def history(*parts: Part) -> History:
    """The parts as a history; its run directory lives as long as it does."""
    run = run_of(parts)
    found = History.load(run)
    weakref.finalize(found, shutil.rmtree, run.path, ignore_errors=True)
    return found
