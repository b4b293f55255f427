"""External services by URL: the run uses an existing database and Redis, and breaks only the links to them.

Every fault is temporary: links lead through a Toxiproxy that ends with the run (or whose proxies do), sessions end
with the harness, and if the harness is killed, the supervisor removes the objects that a fault created in the database.
The servers themselves do not belong to the run: it never kills, freezes or reconfigures them.
"""

from __future__ import annotations

import shutil
from typing import Any

import psycopg
import redis

from shaketable import libpq, plural
from shaketable.errors import InputError, ScenarioError
from shaketable.stack import own_schema, urls
from shaketable.stack.external_services import ExternalServices
from shaketable.stack.host import LOOPBACK, HostStack
from shaketable.stack.stack import OWN_NAME, Address, Server, Service
from shaketable.stack.toxiproxy import server as proxies
from shaketable.stack.toxiproxy.repair import RepairingToxiproxy
from shaketable.stack.undo import Proxies, Statements

#: Connect timeout in seconds.
CONNECT_S = 5

#: Existing objects of users: relations, functions, types, schemas, and roles that own objects or have grants on them.
#: Objects of extensions are excluded. The parameters are the roles of the harness and of the target.
_THERE = """
with mine as (
    select tableoid, * from pg_namespace where nspname <> 'information_schema' and nspname !~ '^pg_'
), found as (
    select c.tableoid, c.oid, 1 as rank, n.nspname || '.' || c.relname as name
    from pg_class c join mine n on n.oid = c.relnamespace where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    union all select p.tableoid, p.oid, 2, 'function ' || n.nspname || '.' || p.proname
    from pg_proc p join mine n on n.oid = p.pronamespace
    union all select t.tableoid, t.oid, 3, 'type ' || n.nspname || '.' || t.typname
    from pg_type t join mine n on n.oid = t.typnamespace where t.typtype in ('d', 'e', 'r')
    union all select n.tableoid, n.oid, 4, 'schema ' || n.nspname from mine n where n.nspname <> 'public'
)
select name from (
    select rank, name from found f
    where not exists (
        select from pg_depend d where d.classid = f.tableoid and d.objid = f.oid and d.deptype = 'e')
    union all select distinct 5, 'role ' || r.rolname from pg_shdepend d join pg_roles r on r.oid = d.refobjid
    where d.refclassid = 'pg_authid'::regclass and r.rolname not in (%s, %s) and not r.rolsuper
        and (select oid from pg_database where datname = current_database())
            in (d.dbid, case when d.classid = 'pg_database'::regclass then d.objid end)
) as everything order by rank, name
"""


class ExternalStack(HostStack):
    """External Postgres and Redis, and an external Toxiproxy or the run's own; the target runs on this machine."""

    given: ExternalServices

    def _start(self) -> None:
        for word in self.given.warnings():
            self._say(word)
        self.given.check_for(self.needs.built_in)
        if "postgres" in self.needs.built_in:
            self._try_postgres()
            self._supervisor.action(Statements(self.admin_url(), (own_schema.DROP,)))
        if "redis" in self.needs.built_in:
            self._try_redis()
        self.toxiproxy = self._toxiproxy()
        self._open.callback(self._drop_links)

    def _try_postgres(self) -> None:
        """Raise InputError unless the harness has the required privileges and the database is empty or need not be."""
        where = urls.shown(self.given.postgres)
        try:
            with libpq.connect(self.admin_url(), connect_timeout=CONNECT_S) as connection:
                may = _value(connection, "select has_parameter_privilege('log_duration', 'set')")
                with libpq.connect(self.owner_url(), connect_timeout=CONNECT_S) as owner:
                    ours = [_value(each, "select current_user") for each in (connection, owner)]
                found = [row[0] for row in connection.execute(_THERE, ours)]
                foreign = own_schema.is_foreign(connection)
        except psycopg.Error as e:
            raise InputError(f"Postgres at {where} does not let the harness in: {_first(e)}") from e
        if not may:
            raise InputError(
                f"Postgres at {where}: the harness's role must be allowed to set log_duration: name a superuser by "
                "--postgres-admin, or GRANT SET ON PARAMETER log_duration to it"
            )
        if foreign:
            raise InputError(
                f"the database at {where} has a schema {own_schema.NAME} that no run has made, and faults need "
                "one of that name: rename yours, or name a database made for this"
            )
        if found and not self.given.allow_not_empty:
            raise InputError(
                f"the database at {where} is not empty ({plural.counted(len(found), 'things')}, {found[0]} among "
                "them), and a run writes into it: name one made for this, or say --allow-not-empty"
            )

    def _try_redis(self) -> None:
        """Raise InputError unless Redis answers, and is empty or need not be."""
        where = urls.shown(self.given.redis)
        try:
            with redis.Redis.from_url(self.given.redis, socket_timeout=CONNECT_S) as client:
                keys = int(client.dbsize())  # type: ignore[arg-type,unused-ignore]
        except redis.RedisError as e:
            raise InputError(f"Redis at {where} does not let the harness in: {_first(e)}") from e
        if keys and not self.given.allow_not_empty:
            raise InputError(
                f"the Redis at {where} is not empty ({plural.counted(keys, 'keys')}), and a run writes into it: "
                "name an empty database (redis://…/1), or say --allow-not-empty"
            )

    def _toxiproxy(self) -> RepairingToxiproxy:
        """The external Toxiproxy, from which this run's proxies are removed at the end, or the run's own."""
        if self.given.toxiproxy:
            at = urls.address(self.given.toxiproxy)
            self._supervisor.action(Proxies(at.host, at.port, f"{self._run_id}-"))
            return proxies.asserted(RepairingToxiproxy(at.host, at.port), urls.shown(self.given.toxiproxy))
        folder = self._supervisor.scratch()
        self._open.callback(shutil.rmtree, folder, ignore_errors=True)
        at = Address(LOOPBACK, self._ports.take())
        log = self._logs / "toxiproxy.log"
        return proxies.start(at, folder, log, self._spawn_server, self._open, self._say)

    def _drop_links(self) -> None:
        for link in self.links:
            self.toxiproxy.delete(self.proxy(link))

    def owner_url(self) -> str:
        """Direct, with the target's role."""
        return urls.through(self.given.postgres, urls.address(self.given.postgres), application_name="setup")

    def admin_url(self) -> str:
        """Direct, with the harness's role."""
        asked = self.given.postgres_admin or self.given.postgres
        return urls.through(asked, urls.address(asked), application_name=OWN_NAME)

    def redis_url(self) -> str:
        """Direct."""
        return self.given.redis

    def _server(self, service: Service) -> Server:
        where = urls.shown(self.given.postgres if service == "postgres" else self.given.redis)
        raise ScenarioError(
            f"the {service} at {where} was not started by this run, so nothing kills, freezes or sets it: break its "
            "links instead (Down, Latency, Silence…), or play this scenario on another --stack"
        )

    def collect_logs(self) -> None:
        """Do nothing: the logs of external servers are not available, so `received` is unknown."""


def _value(connection: psycopg.Connection[Any], query: str) -> Any:
    row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None


def _first(e: BaseException) -> str:
    return str(e).strip().splitlines()[0] if str(e).strip() else type(e).__name__
