"""Events as a literal history sends them: planned, tried, answered."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from shaketable import rundir
from shaketable.clock import SECOND
from shaketable.load.mix.shape import Expect, Shape
from shaketable.load.schedule import Planned
from shaketable.op import Kind, Outcome, Scalar
from tests.support.book import GOOD, JOURNAL, Book, ns


@dataclass(frozen=True)
class Try:
    """One attempt; `until` is None when no answer was ever written."""

    at: float
    until: float | None = None
    outcome: Outcome | None = None
    status: int | None = None
    resend: str = ""
    retry_after: float = 0.0


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
    changed: int | None = None  # the number of the event whose contents are sent again under this id
    ordered: bool = False
    late: float = 0.0  # seconds that the harness itself was late
    given_up: bool = False

    def again(self, at: float, resend: str = "retry") -> Sent:
        """The next attempt; the one before it, if it has no answer, never gets one."""
        return replace(self, tries=(*self.tries, Try(at, resend=resend)))

    def acknowledged(self, at: float) -> Sent:
        return self._answered(at, Outcome.ACKNOWLEDGED, 202)

    def refused(self, at: float, status: int | None = 400, retry_after: float = 0.0) -> Sent:
        return self._answered(at, Outcome.REFUSED, status, retry_after)

    def indeterminate(self, at: float, status: int | None = None) -> Sent:
        return self._answered(at, Outcome.INDETERMINATE, status)

    def _answered(self, at: float, outcome: Outcome, status: int | None, retry_after: float = 0.0) -> Sent:
        last = replace(self.tries[-1], until=at, outcome=outcome, status=status, retry_after=retry_after)
        return replace(self, tries=(*self.tries[:-1], last))

    def __call__(self, book: Book) -> None:
        n = len(book.lines.setdefault(rundir.SCHEDULE, []))
        book.lines.setdefault(rundir.CORPUS, []).append(Shape(n, Expect(self.expect), "a test's", body=self.body))
        book.lines[rundir.SCHEDULE].append(
            Planned(
                n,
                round(self.due * SECOND),
                self.event_id,
                n,
                Expect(self.expect),
                self.organization,
                self.ordered,
                twin_of=self.twin_of,
                changed=self.changed,
            )
        )
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
                **({"retry_after": each.retry_after} if each.retry_after else {}),
                **common,
            )
