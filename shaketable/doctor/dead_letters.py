"""Test dead letters over HTTP: their number and contents. `startup` tests dead letters by SQL."""

from __future__ import annotations

from collections.abc import Iterator

from shaketable.doctor.result import DoctorResult, ok, wrong
from shaketable.doctor.session import DoctorSession
from shaketable.errors import TargetError
from shaketable.target import dead_letters

SECTION = "What the SQL gives"


def lines(session: DoctorSession) -> Iterator[DoctorResult]:
    """Check the number in the header, and one JSON object per line."""
    told = session.target.located().dead_letters
    if told is None or told.url is None:
        return
    what, count = "dead_letters.url", dead_letters.count(told.url)
    if count is None:
        yield wrong(
            what,
            f"reports no number within {dead_letters.COUNT_S:g} s",
            f"answer 200 with a header {dead_letters.TOTAL}",
            SECTION,
        )
        return
    try:
        rows = list(dead_letters.rows(told.url))
        if why := next((row["unreadable"] for row in rows if "unreadable" in row), None):
            raise TargetError(f"a line cannot be read: {why}")
        found = len(rows)
    except TargetError as e:
        yield wrong(what, str(e), "answer with one JSON object a line: event_id, event, cause…", SECTION)
        return
    yield ok(what, f"reports and returns {count}" if count == found else f"reports {count}, then returns {found}")
