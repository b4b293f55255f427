"""Test the startup: setup, the manifest's SQL, and that each process becomes ready."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import psutil
import psycopg

from shaketable.doctor.result import DoctorResult, not_claimed, ok, wrong
from shaketable.doctor.session import DoctorSession
from shaketable.errors import ShaketableError
from shaketable.stack.process import Running
from shaketable.target.bounded_http import NoResponse, get
from shaketable.target.instance import Instance

#: Required columns, and optional ones that enable further checks.
NEEDED = {"event_id", "event"}
OPTIONAL = ("position", "xmin", "committed_at")
#: Timeout of a health request in seconds.
HEALTH_S = 5.0
DEAD_LETTER_FIELDS = ("cause", "attempts", "first_failed_at", "last_failed_at", "history")
SQL, START = "What the SQL gives", "How it is started"


def sets_up(session: DoctorSession) -> Generator[DoctorResult, None, bool]:
    """Run `setup`; returns whether it succeeded."""
    if not session.manifest.setup:
        yield not_claimed("setup", "no command runs before the processes")
        return True
    try:
        session.target.setup()
    except ShaketableError as e:
        yield wrong("setup", str(e), "it must exit with 0; DATABASE_URL has the owner's role, not a superuser's", START)
        return False
    yield ok("setup", "ended with 0")
    return True


def reads(session: DoctorSession) -> Iterator[DoctorResult]:
    """Check that the SQL has the required columns, and that the relation exists."""
    if (query := session.manifest.stored.sql) is not None:
        yield _stored(session, query)
    relation = session.manifest.stored.relation
    if relation is None:
        yield not_claimed("stored.relation", "FailNext and RejectRows have no relation to act on")
    else:
        yield _relation(session, relation)
    letters = session.manifest.dead_letters
    if letters is None:
        yield not_claimed("dead_letters", "the target has no dead letters")
    elif letters.sql:
        yield _letters(session, letters.sql)


def _stored(session: DoctorSession, query: str) -> DoctorResult:
    what = "stored.sql"
    columns = _columns(session, query)
    if isinstance(columns, str):
        return wrong(what, f"fails with {columns!r}", "run it by hand after `setup`", SQL)
    if missing := NEEDED - set(columns):
        return _lacking(what, missing)
    ordered = {"xmin", "committed_at"} & set(columns)
    if session.manifest.capabilities.order_by and not ordered:
        return wrong(
            what,
            "gives neither xmin nor committed_at, although order_by is claimed",
            "add the row's own xmin to the columns",
            SQL,
        )
    less = "" if ordered else "; without xmin or committed_at order cannot be judged"
    return ok(what, f"gives event_id, event{''.join(f', {name}' for name in OPTIONAL if name in columns)}{less}")


def _letters(session: DoctorSession, query: str) -> DoctorResult:
    what, columns = "dead_letters.sql", _columns(session, query)
    if isinstance(columns, str):
        return wrong(what, f"fails with {columns!r}", "run it by hand after `setup`", SQL)
    missing = (NEEDED | set(DEAD_LETTER_FIELDS)) - set(columns)
    return _lacking(what, missing) if missing else ok(what, f"gives event_id, event, {', '.join(DEAD_LETTER_FIELDS)}")


def _lacking(what: str, missing: set[str]) -> DoctorResult:
    return wrong(what, f"gives no column {', no '.join(sorted(missing))}", "name the columns so, `as` if need be", SQL)


def _columns(session: DoctorSession, query: str) -> list[str] | str:
    """The names of the columns, or the error message."""
    try:
        return session.columns(query)
    except psycopg.Error as e:
        return str(e.diag.message_primary or e)


def _relation(session: DoctorSession, relation: str) -> DoctorResult:
    with session.session() as database:
        row = database.execute("select to_regclass(%s)::text, current_schemas(false)", [relation]).fetchone()
        names = database.execute("select relname from pg_stat_user_tables order by 1 limit 8").fetchall()
    if row and row[0]:
        return ok("stored.relation", f"{relation} is there")
    there = ", ".join(name for (name,) in names) or "none"
    return wrong("stored.relation", f"there is no {relation!r}", f"existing tables: {there}", "`[stored]`")


def becomes_ready(session: DoctorSession) -> Generator[DoctorResult, None, bool]:
    """Start each process as `run` does, and request its health; returns whether the intake became ready."""
    answers = {}
    for name in session.target.instances:
        answers[name] = yield from _starts(session, session.target.instances[name])
    return all(up for name, up in answers.items() if _takes_in(session, name))


def _takes_in(session: DoctorSession, name: str) -> bool:
    return session.target.instances[name].kind.name == session.manifest.ingest.process


def _starts(session: DoctorSession, instance: Instance) -> Generator[DoctorResult, None, bool]:
    what, began = f"{instance.name} becomes ready", session.clock.now()
    try:
        session.target.start(instance.name)
        session.target.await_ready(instance.name)
    except ShaketableError as e:
        yield wrong(what, str(e), _remedy(instance), START)
        return False
    if instance.health_url is None:
        yield not_claimed(what, "no `health` path: it counts as ready immediately")
        return True
    after = f"after {(session.clock.now() - began) / 1e9:.1f} s"
    try:
        status = get(instance.health_url, HEALTH_S).status
    except NoResponse as e:
        yield wrong(what, f"ready {after}, then no answer at {instance.kind.health}: {e}", _remedy(instance), START)
        return False
    if status == 404:
        yield wrong(what, f"answers {after}, but 404 at {instance.kind.health}", "name the path that exists", START)
    else:
        yield ok(what, f"{after}: {status} at {instance.kind.health}")
    return True


def _remedy(instance: Instance) -> str:
    ports = sorted(_ports(instance.child)) if instance.child and instance.child.poll() is None else []
    if ports and instance.port not in ports:
        return f"it listens on {', '.join(map(str, ports))} instead of HTTP_PORT, which is {instance.port} here"
    return f"run its command by hand with HTTP_PORT, DATABASE_URL and REDIS_URL, and see {instance.name}.log"


def _ports(child: Running) -> set[int]:
    """The ports on which it listens, by the kernel."""
    try:
        return {
            one.laddr.port
            for process in child.tree()
            for one in process.net_connections("tcp")
            if one.status == psutil.CONN_LISTEN
        }
    except psutil.Error:
        return set()
