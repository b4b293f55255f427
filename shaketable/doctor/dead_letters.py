"""Dead letters that are told over HTTP: how many, and what they are. (Their SQL is tried before: `beginning`.)"""

from __future__ import annotations

from collections.abc import Iterator

from shaketable.doctor.result import DoctorResult, ok, wrong
from shaketable.doctor.session import DoctorSession
from shaketable.errors import TargetError
from shaketable.target import dead_letters

SECTION = "What the SQL gives"


def lines(session: DoctorSession) -> Iterator[DoctorResult]:
    """The number in its header, and one JSON object a line."""
    told = session.target.located().dead_letters
    if told is None or told.url is None:
        return
    what, count = "dead_letters.url", dead_letters.count(told.url)
    if count is None:
        yield wrong(
            what,
            f"tells no number within {dead_letters.COUNT_S:g} s",
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
    yield ok(what, f"tells {count}, and {found} come" if count == found else f"tells {count}, but {found} come by now")
