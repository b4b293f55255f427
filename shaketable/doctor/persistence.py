"""Test that accepted events are stored once and unchanged, and refused ones are not stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator

import psycopg
from psycopg import sql

from shaketable import plural
from shaketable.doctor.result import DoctorResult, not_claimed, ok, wrong
from shaketable.doctor.session import DoctorSession
from shaketable.errors import TargetError
from shaketable.event.ids import in_row
from shaketable.faults.kinds import triggers
from shaketable.faults.kinds.reject_rows import UNSEEN, row_ids

SQL = "What the SQL gives"
#: The remedy for the lines of a URL or a command.
LINES = "print one JSON object a line: event_id, event, and position if there is one"


def lines(session: DoctorSession) -> Generator[DoctorResult, None, bool]:
    """Compare the rows of stored.sql with the accepted events. Returns whether all were stored."""
    if not session.taken:
        return False
    what = "what was acknowledged is stored"
    try:
        query = session.manifest.stored.sql
        if query is not None and not {"event_id", "event"} <= set(session.columns(query)):
            return False  # reported by `startup`
        arrived = not missing(session) or session.seen(lambda: not missing(session))  # raises at once, then waits
        rows = session.stored()
    except psycopg.Error as e:
        yield wrong(what, f"stored.sql fails with {e.diag.message_primary or e!r}", "fix stored.sql first", SQL)
        return False
    except TargetError as e:
        yield wrong(what, str(e), LINES, SQL)
        return False
    every = f"all of {plural.counted(len(session.taken), 'events')}"
    if unread := next((why for row in rows if (why := row.get("unreadable"))), ""):
        yield wrong("[stored]", f"a line cannot be read: {unread}", LINES, SQL)
    yield _arrived(session, what, len(missing(session))) if not arrived else ok(what, every)
    counts = Counter(session.kind.key(str(row["event_id"])) for row in rows)
    yield _once(session, counts)
    yield _intact(session, rows)
    yield _nothing_refused(session, counts)
    yield from _written_once(session, rows)
    yield from _found_by_faults(session)
    return arrived


def missing(session: DoctorSession) -> set[str]:
    """The acknowledged events that are not in stored.sql. Raises psycopg.Error."""
    found = {session.kind.key(str(row["event_id"])) for row in session.stored()}
    return set(session.taken) - found


def _arrived(session: DoctorSession, what: str, count: int) -> DoctorResult:
    others = [name for name, it in session.target.instances.items() if it.kind.name != session.manifest.ingest.process]
    said = "; ".join(f"{name} said: {session.last_log_lines(name) or 'nothing'}" for name in others[:1])
    source = "stored.sql" if session.manifest.stored.sql else "[stored]"
    return wrong(
        what,
        f"{count} of {len(session.taken)} are not in {source}{f' ({said})' if said else ''}",
        f"does a process store them, and does {source} show event_id as it was sent",
        SQL,
    )


def _once(session: DoctorSession, counts: Counter[str]) -> DoctorResult:
    if not session.manifest.capabilities.deduplicates:
        return not_claimed("stored once", "capabilities.deduplicates is false")
    doubled = [event_id for event_id in session.taken if counts[event_id] > 1]
    if not doubled:
        return ok("stored once", "also what was sent twice")
    return wrong(
        "stored once",
        plural.counted(len(doubled), f"events have several rows, up to {max(counts[i] for i in doubled)}"),
        "its id is the key: keep it unique in the transaction that stores",
        "An event",
    )


def _intact(session: DoctorSession, rows: list[dict[str, str]]) -> DoctorResult:
    what, paths, compared = "stored as it was sent", set[str](), 0
    for row in rows:
        sent = session.taken.get(session.kind.key(str(row["event_id"])))
        if sent is None:
            continue
        compared += 1
        try:
            stored = session.kind.parse(row["event"] or "")
            paths |= set(session.kind.same(session.kind.parse(sent), stored, session.manifest.stored.adds))
        except ValueError:
            return wrong(what, "the column event holds no JSON object", "show the event as one JSON object", SQL)
    if paths:
        return wrong(
            what,
            f"differs in {', '.join(sorted(paths))}",
            "return the event unchanged; name members that you add in stored.adds",
            "An event",
        )
    return ok(what, f"{compared} compared") if compared else wrong(what, "no row to compare", "see above", SQL)


def _nothing_refused(session: DoctorSession, counts: Counter[str]) -> DoctorResult:
    stored = [event_id for event_id in session.refused if counts[event_id]]
    if not stored:
        return ok("nothing that was refused is stored", f"{len(session.refused)} looked for")
    return wrong(
        "nothing that was refused is stored",
        f"{len(stored)} are",
        "validate an event before storing it",
        "What it answers",
    )


def _written_once(session: DoctorSession, rows: list[dict[str, str]]) -> Iterator[DoctorResult]:
    """Whether an event that comes again leaves its row alone; no result where the SQL does not tell transactions."""
    what, before = "a row stays as it was first stored", _transactions(session, rows)
    if session.manifest.stored.updates:
        yield not_claimed(what, "stored.updates is true")
    if session.manifest.stored.updates or not before or not session.manifest.capabilities.deduplicates:
        return
    for event_id in before:
        session.post(session.taken[event_id], event_id)
    event_id, body = session.events.new()  # whatever was taken before it has been dealt with once it is stored
    if session.accepts(session.post(body, event_id)):
        session.taken[event_id] = body
    if not session.seen(lambda: not missing(session)):
        return
    after = _transactions(session, session.stored())
    if not (anew := [each for each in before if after.get(each) != before[each]]):
        yield ok(what, f"also when sent again: {len(before)} compared")
        return
    said = f"{len(anew)} of {plural.counted(len(before), 'events')} sent again were written anew"
    remedy = "write stored.updates = true, since it hides when an event was first stored, or leave the row alone"
    yield wrong(what, said, remedy, "`[stored]`")


def _transactions(session: DoctorSession, rows: list[dict[str, str]]) -> dict[str, str]:
    """The mark that tells when the row of each accepted event was written: its xmin, or its commit time."""
    found = {session.kind.key(str(row["event_id"])): row.get("xmin") or row.get("committed_at") for row in rows}
    return {event_id: told for event_id, told in found.items() if told and event_id in session.taken}


def _found_by_faults(session: DoctorSession) -> Iterator[DoctorResult]:
    """Whether RejectRows can identify the event of a row; no result without rows."""
    what, relation = "RejectRows finds an event's row", session.manifest.stored.relation
    if relation is None:
        return
    taken = set(map(in_row, session.taken))
    query = sql.SQL("select array(select lower(m) from ({}) as ids(m)) from {} as r").format(
        sql.SQL(row_ids(next(iter(taken)), "r")), triggers.relation(relation)
    )
    try:
        with session.session() as database:
            rows = [set(ids) for (ids,) in database.execute(query)]
    except psycopg.Error:
        return  # no such relation, which `startup` reports
    if found := sum(not ids.isdisjoint(taken) for ids in rows):
        yield ok(what, f"in {relation}, by the id in {found} of {len(rows)} rows")
    elif rows:
        yield wrong(
            what, UNSEEN.format(relation), "name a relation whose rows hold it, or leave RejectRows out", "`[stored]`"
        )
