"""The rows that the manifest's SQL gives: all that can be read, and of each that cannot, why.

Postgres ends a query at the first row that it cannot give, such as a cast of a text that is no JSON. The rows that did
not come by then are asked for again by their ids, in halves, so that only the failing ones are missing. Such a row has
a member `unreadable`, the error's name; its message may hold content.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import psycopg
from psycopg import sql

from shaketable.errors import HarnessError, TargetError

#: Rows fetched at a time.
FETCH = 5_000
#: Queries by which failing rows are looked for; rows that are not found by then are unreadable.
TRIES = 500
#: Columns that are read; others may be of any type.
COLUMNS = (
    "event_id",
    "event",
    "position",
    "xmin",
    "committed_at",
    "cause",
    "attempts",
    "first_failed_at",
    "last_failed_at",
    "history",
)

Row = dict[str, Any]
#: What a row that cannot be read raises: in Postgres, in psycopg, in a decoder.
Failing = (psycopg.Error, ValueError, OverflowError, RecursionError)


def rows(connection: psycopg.Connection[Any], query: str, section: str, commit_time: bool = False) -> Iterator[Row]:
    """JSON members as they are, xmin as text, and its commit time. Raises TargetError for SQL that fails as a whole."""
    inner = sql.SQL(query)
    try:
        select = _select(connection, inner, commit_time)
        yield from _whole(connection, select, inner, section)
    except (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable) as e:
        raise TargetError(f"the manifest's [{section}] sql takes too long: {e.diag.message_primary or e}") from e
    except psycopg.OperationalError as e:
        raise HarnessError(f"cannot read what was kept ({section}): {e}") from e
    except psycopg.Error as e:
        raise TargetError(f"the manifest's [{section}] sql fails: {e.diag.message_primary or e}") from e


def readable(rows: Iterator[Row]) -> Iterator[Row]:
    """The rows up to one at which the target fails; a row that says why then stands for all that would follow."""
    try:
        yield from rows
    except TargetError as e:
        yield {"event_id": None, "unreadable": str(e), "more": True}


def columns(connection: psycopg.Connection[Any], inner: sql.Composable) -> list[str]:
    """The names of what the SQL gives."""
    cursor = connection.execute(sql.SQL("select * from ({}) as q limit 0").format(inner), prepare=True)
    return [column.name for column in cursor.description or ()]


def _whole(
    connection: psycopg.Connection[Any], select: sql.Composed, inner: sql.Composable, section: str
) -> Iterator[Row]:
    came: Counter[str | None] = Counter()
    try:
        with connection.cursor(name=section) as cursor:
            cursor.itersize = FETCH
            cursor.execute(select)
            for row in _read(cursor):
                came[row.get("event_id")] += 1
                yield row
            return
    except psycopg.OperationalError:
        raise
    except Failing as e:
        why = _why(e)
    connection.rollback()
    yield from _rest(connection, select, inner, came, why)


def _rest(
    connection: psycopg.Connection[Any],
    select: sql.Composed,
    inner: sql.Composable,
    came: Counter[str | None],
    why: str,
) -> Iterator[Row]:
    """What did not come before a row failed."""
    try:
        there = Counter(
            row[0]
            for row in connection.execute(sql.SQL("select q.event_id::text from ({}) as q").format(inner), prepare=True)
        )
    except psycopg.OperationalError:
        raise
    except psycopg.Error:  # not even the ids can be read
        connection.rollback()
        yield {"event_id": None, "unreadable": why, "more": True}
        return
    left = there - came
    yield from ({"event_id": None, "unreadable": why} for _ in range(left.pop(None, 0)))
    by_id = sql.SQL("{} where q.event_id::text = any(%s)").format(select)
    for row in _halves(connection, by_id, sorted(str(each) for each in left)):
        event_id = row["event_id"]
        if "unreadable" in row:
            yield from (row for _ in range(left[event_id]))
        elif left[event_id] > 0:
            left[event_id] -= 1
            yield row


def _halves(connection: psycopg.Connection[Any], by_id: sql.Composed, ids: list[str]) -> Iterator[Row]:
    """The rows of these ids; those of an id that fails by itself are unreadable."""
    todo, tries = [ids] if ids else [], 0
    while todo:
        part, tries = todo.pop(), tries + 1
        try:
            with connection.transaction(), connection.cursor() as cursor:
                found = list(_read(cursor.execute(by_id, [part])))
        except psycopg.OperationalError:
            raise
        except Failing as e:
            middle = len(part) // 2
            if not middle or tries >= TRIES:
                yield from ({"event_id": each, "unreadable": _why(e)} for each in part)
            else:
                todo += [part[middle:], part[:middle]]
            continue
        yield from found


def _read(cursor: psycopg.Cursor[Any] | psycopg.ServerCursor[Any]) -> Iterator[Row]:
    for row in cursor:
        names = [column.name for column in cursor.description or ()]
        yield {name: _value(name, value) for name, value in zip(names, row, strict=True)}


def _why(error: BaseException) -> str:
    """The error's name, as in "InvalidTextRepresentation (22P02)"."""
    state = getattr(error, "sqlstate", None)
    return f"{type(error).__name__}{f' ({state})' if state else ''}"


def _select(connection: psycopg.Connection[Any], inner: sql.Composable, commit_time: bool) -> sql.Composed:
    """The columns that are known; tried without a row, so that what is wrong for every row is told as such."""
    there = [name for name in columns(connection, inner) if name in COLUMNS]
    parts = [_expression(name) for name in there]
    if commit_time and "xmin" in there and "committed_at" not in there and _keeps_commit_times(connection):
        parts.append(_COMMITTED_AT)
    select = sql.SQL("select {} from ({}) as q").format(sql.SQL(", ").join(parts), inner)
    connection.execute(sql.SQL("{} limit 0").format(select), prepare=True)
    return select


def _keeps_commit_times(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server does (a given one may not): asking for a time that it has not kept is an error."""
    return connection.execute("show track_commit_timestamp").fetchone() == ("on",)


_COMMITTED_AT = sql.SQL("(extract(epoch from pg_xact_commit_timestamp(q.xmin)) * 1000000)::bigint as committed_at")
_JSON = ("event", "history")


def _expression(name: str) -> sql.Composable:
    """Read as text what must not be turned into something else on the way."""
    column = sql.Identifier("q", name)
    if name in ("event_id", "xmin", *_JSON):
        return sql.SQL("{}::text as {}").format(column, sql.Identifier(name))
    if name == "committed_at":  # infinity is no time
        return sql.SQL(
            "(case when isfinite({0}) then extract(epoch from {0}) end * 1000000)::bigint as committed_at"
        ).format(column)
    return column


def _value(name: str, value: Any) -> Any:
    """JSON text as a JSON value, byte for byte; what is no JSON, or what our reader cannot take, stays a string."""
    if name == "position":
        return _whole_number(value)
    if isinstance(value, Decimal):
        return _told(value) if (whole := _whole_number(value)) is None else whole
    if not isinstance(value, str):
        return value if value is None or isinstance(value, bool | int) else _told(value)
    if name not in _JSON:
        return value.encode(errors="backslashreplace").decode()  # a lone surrogate is no text for others
    try:
        msgspec.json.decode(value, type=msgspec.Raw)  # its form alone: a number outside a double is JSON too
    except (msgspec.DecodeError, RecursionError):
        return value
    return msgspec.Raw(value.encode())


def _whole_number(value: Any) -> int | None:
    try:
        return None if value is None or int(value) != value else int(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _told(value: Any) -> msgspec.Raw | str:
    """Any value as JSON; one that cannot be written is told as Python would print it."""
    try:
        return msgspec.Raw(msgspec.json.encode(value, enc_hook=str))
    except (TypeError, ValueError, RecursionError):
        return ascii(value)
