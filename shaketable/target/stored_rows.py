"""The rows of the manifest's SQL: all readable ones, and the error of each unreadable one.

Postgres aborts a query at the first row that fails, such as a cast of invalid JSON. The missing rows are then queried
by id, in halves, until only the failing rows are left. Such a row has a member `unreadable` with the error's name,
without its message, which may contain event content.
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
from shaketable.event import json_text

#: Rows fetched at a time.
FETCH = 5_000
#: The most queries to locate failing rows; rows not read by then count as unreadable.
TRIES = 500
#: Columns that are read; others are ignored.
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
#: Errors of an unreadable row: in Postgres, in psycopg, in a decoder.
Failing = (psycopg.Error, ValueError, OverflowError, RecursionError)


def rows(connection: psycopg.Connection[Any], query: str, section: str, commit_time: bool = False) -> Iterator[Row]:
    """Rows with unchanged JSON, xmin as text, and the commit time. Raises TargetError when the SQL itself fails."""
    inner = sql.SQL(query)
    try:
        select = _select(connection, inner, commit_time)
        yield from _whole(connection, select, inner, section)
    except (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable) as e:
        raise TargetError(f"the manifest's [{section}] sql takes too long: {e.diag.message_primary or e}") from e
    except psycopg.OperationalError as e:
        raise HarnessError(f"cannot read the stored rows ({section}): {e}") from e
    except psycopg.Error as e:
        raise TargetError(f"the manifest's [{section}] sql fails: {e.diag.message_primary or e}") from e


def readable(rows: Iterator[Row]) -> Iterator[Row]:
    """The rows until a TargetError; then one row with the error stands for all further ones."""
    try:
        yield from rows
    except TargetError as e:
        yield {"event_id": None, "unreadable": str(e), "more": True}


def columns(connection: psycopg.Connection[Any], inner: sql.Composable) -> list[str]:
    """The names of the SQL's columns."""
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
    """The rows that were not read before one failed."""
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
    """The rows with these ids; an id whose query fails alone is unreadable."""
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
    """Select the known columns; executed without rows first, to distinguish an error of the SQL from one of a row."""
    there = [name for name in columns(connection, inner) if name in COLUMNS]
    parts = [_expression(name) for name in there]
    if commit_time and "xmin" in there and "committed_at" not in there and _keeps_commit_times(connection):
        parts.append(_COMMITTED_AT)
    select = sql.SQL("select {} from ({}) as q").format(sql.SQL(", ").join(parts), inner)
    connection.execute(sql.SQL("{} limit 0").format(select), prepare=True)
    return select


def _keeps_commit_times(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server tracks commit times (an external one may not); reading an untracked one is an error."""
    return connection.execute("show track_commit_timestamp").fetchone() == ("on",)


_COMMITTED_AT = sql.SQL("(extract(epoch from pg_xact_commit_timestamp(q.xmin)) * 1000000)::bigint as committed_at")
_JSON = ("event", "history")
#: The largest number that a run's files may hold, of a position and of a time in microseconds (the year 2112).
_LARGEST = {"position": 2**63 - 1, "committed_at": 2**52}


def _expression(name: str) -> sql.Composable:
    """The SQL of a column; as text where a conversion would change the value."""
    column = sql.Identifier("q", name)
    if name in ("event_id", "xmin", *_JSON):
        return sql.SQL("{}::text as {}").format(column, sql.Identifier(name))
    if name == "committed_at":  # infinity is no time
        return sql.SQL(
            "(case when isfinite({0}) then extract(epoch from {0}) end * 1000000)::bigint as committed_at"
        ).format(column)
    return column


def _value(name: str, value: Any) -> Any:
    """JSON text as a JSON value, on one line; invalid or unsupported JSON stays a string."""
    if name in _LARGEST:
        whole = _whole_number(value)
        return whole if whole is not None and abs(whole) <= _LARGEST[name] else None
    if isinstance(value, Decimal):
        return _told(value) if (whole := _whole_number(value)) is None else whole
    if not isinstance(value, str):
        return value if value is None or isinstance(value, bool | int) else _told(value)
    text = value.encode(errors="backslashreplace").decode()  # a lone surrogate cannot be encoded
    return as_json(name, text) if name in _JSON else text


def as_json(name: str, text: str) -> msgspec.Raw | str:
    """A member's JSON on one line; a string if it is invalid, or if a run's files could not be read back with it."""
    try:  # of an event only the syntax: a number beyond a double is valid JSON
        msgspec.json.decode(text, type=msgspec.Raw if name == "event" else Any)
    except (msgspec.MsgspecError, RecursionError):
        return text
    return msgspec.Raw(json_text.on_one_line(text.encode()))


def _whole_number(value: Any) -> int | None:
    """A whole number of 64 bits, or None."""
    try:
        return None if value is None or not -(2**63) <= value < 2**63 or int(value) != value else int(value)
    except (TypeError, ValueError, OverflowError, ArithmeticError):
        return None


def _told(value: Any) -> msgspec.Raw | str:
    """Any value as JSON, or its ASCII representation if it has none."""
    try:
        return msgspec.Raw(msgspec.json.encode(value, enc_hook=str))
    except (TypeError, ValueError, RecursionError):
        return ascii(value)
