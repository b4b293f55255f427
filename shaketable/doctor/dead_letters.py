"""Test dead letters over HTTP and in Redis: their number and contents. `startup` tests dead letters by SQL."""

from __future__ import annotations

from collections.abc import Iterator

from shaketable import plural
from shaketable.doctor.result import DoctorResult, ok, wrong
from shaketable.doctor.session import DoctorSession
from shaketable.errors import TargetError
from shaketable.target import dead_letters
from shaketable.target.readers import redis_entries
from shaketable.target.source_tables import DeadLetterKey

SECTION = "What the SQL gives"


def lines(session: DoctorSession) -> Iterator[DoctorResult]:
    """Check the number in the header and one JSON object per line, or each entry of the Redis key."""
    told = session.target.located().dead_letters
    if told is not None and told.url is not None:
        yield from _of_url(told.url)
    elif told is not None and told.redis is not None:
        yield _of_redis(session.stack.redis_url(), told.redis)


def _of_redis(url: str, key: DeadLetterKey) -> DoctorResult:
    what = f"dead_letters.redis {key.key}"
    try:
        rows = list(redis_entries.rows(url, key))
    except TargetError as e:
        return wrong(what, str(e), f"is it a {key.type}? If not, correct its type", SECTION)
    if why := next((row["unreadable"] for row in rows if "unreadable" in row), None):
        return wrong(what, f"an entry cannot be read: {why}", "correct the pointers `event` and `id`", SECTION)
    return ok(what, f"has {plural.counted(len(rows), 'entries')}")


def _of_url(url: str) -> Iterator[DoctorResult]:
    what, count = "dead_letters.url", dead_letters.count(url)
    if count is None:
        yield wrong(
            what,
            f"reports no number within {dead_letters.COUNT_S:g} s",
            f"answer 200 with a header {dead_letters.TOTAL}",
            SECTION,
        )
        return
    try:
        rows = list(dead_letters.rows(url))
        if why := next((row["unreadable"] for row in rows if "unreadable" in row), None):
            raise TargetError(f"a line cannot be read: {why}")
        found = len(rows)
    except TargetError as e:
        yield wrong(what, str(e), "answer with one JSON object a line: event_id, event, cause…", SECTION)
        return
    yield ok(what, f"reports and returns {count}" if count == found else f"reports {count}, then returns {found}")
