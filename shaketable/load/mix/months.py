"""Shapes at the ends of months: the last microsecond of one, the first instant of the next, and the end of today.

A processor that partitions by month creates a partition for the first event of each, while others write, and perhaps
in two workers at once. A time zone may put the date of an event into another month than its instant.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone

from shaketable.load.mix.shape import Expect, Shape

#: The first month's end, and months from one to the next: each brings two months that no other has.
FIRST, STEP = 2000 * 12 + 1, 2
#: Hours of the zones in which each instant is written; in one of them the date is in the other month.
ZONES = (0, 5, -5)
#: The smallest step of the contract's timestamps.
MICROSECOND = timedelta(microseconds=1)


def shapes(today: date) -> Iterator[Shape]:
    """The ends of every second month from 2000 to last year, oldest first, each followed by the end of today."""
    newest = datetime(today.year, today.month, today.day, tzinfo=UTC) + timedelta(days=1) - MICROSECOND
    for month in range(FIRST, (today.year - 1) * 12, STEP):
        start = datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)
        for zone in ZONES:
            yield _shape(start - MICROSECOND, zone, "the end of a month")
            yield _shape(start, zone, "the start of a month")
        yield _shape(newest, 0, "the end of today")


def _shape(at: datetime, zone: int, why: str) -> Shape:
    timestamp = at.astimezone(timezone(timedelta(hours=zone))).isoformat(timespec="microseconds")
    body = {"timestamp": timestamp, "action": "month", "status": "success"}
    return Shape(0, Expect.ACCEPT, why, body=body, month_end=True)
