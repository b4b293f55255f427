"""A PostgreSQL server returned to the state in which it started: sessions, databases, settings and roles."""

from __future__ import annotations

import time
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from shaketable import libpq
from shaketable.errors import HarnessError
from shaketable.stack.local_server import LocalServer
from shaketable.stack.postgres import ADMIN, DATABASE, ROLE, PostgresServer

#: Seconds that one statement, and a reload of the settings, may take.
STATEMENT_S, RELOAD_S = 20.0, 5.0
#: The databases of the server itself.
OWN = (ADMIN, "template0", "template1")
#: Our session must write even where a fault made the server read-only.
WRITABLE = "-c default_transaction_read_only=off"

Connection = psycopg.Connection[Any]


class WarmPostgres:
    """`refresh` makes the target's database anew, and removes all that a target or a fault left in the server."""

    def __init__(self, server: PostgresServer) -> None:
        self._server, self._templates = server, dict[str, str]()
        with self._session() as connection:
            self._settings = _settings(connection)

    def refresh(self) -> None:
        """Raises HarnessError when the server does not come back."""
        LocalServer(self._server).resume()
        LocalServer(self._server).bring_back()
        try:
            with self._session() as connection, libpq.time_limit(connection, STATEMENT_S):
                _reset_settings(connection)
                reset = _settings(connection) == self._settings
            if not reset:  # one that needs a restart was changed, and applied by a crash
                self._server.stop()
                self._server.start()
            with self._session() as connection, libpq.time_limit(connection, STATEMENT_S):
                _end_sessions(connection)
                self._drop_databases(connection)
                self._reset_roles(connection)
                _create(connection, "template1")
        except psycopg.Error as e:
            raise HarnessError(f"postgres could not be made fresh for the next trial: {e}") from e

    def save_template(self, key: str) -> None:
        """Keep the database as it is now, under this key."""
        name = f"template_{len(self._templates)}"
        with self._session() as connection, libpq.time_limit(connection, STATEMENT_S):
            _end_sessions(connection)
            connection.execute(sql.SQL(_COPY).format(sql.Identifier(name), sql.Identifier(DATABASE)))
        self._templates[key] = name

    def copy_template(self, key: str) -> bool:
        """Make the target's database a copy of the one under this key; False when there is none."""
        if (template := self._templates.get(key)) is None:
            return False
        with self._session() as connection, libpq.time_limit(connection, STATEMENT_S):
            _drop(connection, DATABASE)
            _create(connection, template)
        return True

    def has_no_settings(self) -> bool:
        """Whether no setting belongs to a role or a database: a copy of the database would lack them."""
        with self._session() as connection:
            return not _one(connection, "select count(*) from pg_db_role_setting")

    def _session(self) -> Connection:
        return libpq.connect(self._server.admin_url(ADMIN), autocommit=True, options=WRITABLE)

    def _drop_databases(self, connection: Connection) -> None:
        kept = [*OWN, *self._templates.values()]
        for (name,) in connection.execute("select datname from pg_database where datname <> all(%s)", [kept]):
            _drop(connection, name)

    def _reset_roles(self, connection: Connection) -> None:
        """Remove every role except the target's, and give that one its first attributes."""
        for (name,) in connection.execute(_OTHER_ROLES, [ROLE]).fetchall():
            connection.execute(sql.SQL("drop owned by {0} cascade").format(sql.Identifier(name)))
            connection.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))
        for (granted,) in connection.execute(_GRANTED, [ROLE]).fetchall():
            connection.execute(sql.SQL("revoke {} from {}").format(sql.Identifier(granted), sql.Identifier(ROLE)))
        role, password = sql.Identifier(ROLE), sql.Literal(self._server.password)
        connection.execute(sql.SQL(_ROLE).format(role, password))


def _reset_settings(connection: Connection) -> None:
    """Take back `alter system`, `alter role … set` and `alter database … set`, and wait for the reload."""
    for role, database in connection.execute(_SETTINGS).fetchall():
        whose = sql.SQL("role {}").format(sql.Identifier(role)) if role else sql.SQL("role all")
        if database and not role:
            whose = sql.SQL("database {}").format(sql.Identifier(database))
        elif database:
            whose += sql.SQL(" in database {}").format(sql.Identifier(database))
        connection.execute(sql.SQL("alter {} reset all").format(whose))
    if not _one(connection, _ALTERED):
        return
    before = _one(connection, "select pg_conf_load_time()")
    connection.execute("alter system reset all")
    connection.execute("select pg_reload_conf()")
    deadline = time.monotonic() + RELOAD_S
    while _one(connection, "select pg_conf_load_time()") == before:  # the postmaster reloads before its backends
        if time.monotonic() > deadline:
            raise HarnessError(f"postgres does not reload its settings within {RELOAD_S:g} s")
        time.sleep(0.005)


def _settings(connection: Connection) -> dict[str, str]:
    return dict(connection.execute("select name, setting from pg_settings").fetchall())


def _end_sessions(connection: Connection) -> None:
    """Terminate all sessions but this one, and wait until they have ended."""
    connection.execute(_TERMINATE)


def _drop(connection: Connection, name: str) -> None:
    connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def _create(connection: Connection, template: str) -> None:
    connection.execute(
        sql.SQL(_COPY + " owner {}").format(sql.Identifier(DATABASE), sql.Identifier(template), sql.Identifier(ROLE))
    )


def _one(connection: Connection, query: LiteralString) -> Any:
    row = connection.execute(query).fetchone()
    return row[0] if row else None


_COPY: LiteralString = "create database {} template {}"
_TERMINATE: LiteralString = """
select pg_terminate_backend(pid, 5000) from pg_stat_activity
where backend_type = 'client backend' and pid <> pg_backend_pid()
"""
_SETTINGS: LiteralString = """
select r.rolname, d.datname from pg_db_role_setting as s
left join pg_roles as r on r.oid = s.setrole left join pg_database as d on d.oid = s.setdatabase
"""
#: Not pg_file_settings: to read it marks settings of the command line as pending a restart.
_ALTERED: LiteralString = "select pg_read_file('postgresql.auto.conf') ~ '(?n)^[^#]'"
_OTHER_ROLES: LiteralString = "select rolname from pg_roles where oid >= 16384 and rolname <> %s"
_GRANTED: LiteralString = """
select g.rolname from pg_auth_members as m
join pg_roles as g on g.oid = m.roleid join pg_roles as r on r.oid = m.member where r.rolname = %s
"""
_ROLE: LiteralString = """
alter role {} with login inherit nosuperuser nocreatedb nocreaterole noreplication nobypassrls
connection limit -1 password {} valid until 'infinity'
"""
