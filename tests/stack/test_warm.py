"""A world on warm servers is as fresh as one on servers that have just started, whatever the world before it did."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from shaketable.errors import HarnessError, NotPlayable
from shaketable.faults import FAULTS
from shaketable.faults.context import RunContext
from shaketable.faults.kinds.disks.disk import DiskFault
from shaketable.stack import ports
from shaketable.stack.local import LocalStack
from shaketable.stack.server_options import ServerOptions
from shaketable.stack.service import Needs, Service
from shaketable.stack.stack import Stack
from shaketable.stack.supervisor import Supervisor
from shaketable.stack.warm import WarmServers
from shaketable.target.ingest_table import Ingest
from shaketable.target.manifest import Manifest, Process
from shaketable.target.source_tables import Stored
from shaketable.target.target import Target
from tests.faults.little_target import SCRIPT
from tests.faults.own import ignore
from tests.faults.test_every_fault import KINDS, sample
from tests.support.cases import cases

pytestmark = pytest.mark.slow

#: Every kind but those of disks, which need servers that were started for them.
WARM = {name: kind for name, kind in KINDS.items() if not issubclass(kind, DiskFault)}

#: One for each part that a fault may leave behind: a process, a proxy, a toxic, a session, a trigger, settings of each
#: server, a server that does not run.
EACH_CHANGE = ["exhaust_connections", "latency"]
EACH_CHANGE += ["pause", "reject_rows", "valkey_crash"]

quiet: Callable[[str], None] = lambda _: None  # noqa: E731
World = Callable[[], AbstractContextManager[Stack]]


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmServers]:
    with WarmServers(quiet) as servers:
        yield servers


@pytest.fixture
def world(warm: WarmServers, tmp_path: Path) -> World:
    """Opens a fresh world."""
    return partial(opened, warm, tmp_path)


@contextmanager
def opened(
    warm: WarmServers, folder: Path, needs: Needs | None = None, options: ServerOptions = ServerOptions()
) -> Iterator[Stack]:
    run_id = f"test-{secrets.token_hex(4)}"
    supervisor, logs = Supervisor(run_id), folder / run_id
    logs.mkdir()
    try:
        with ports.reserve() as block, warm.open(run_id, block, supervisor, logs, quiet, options, needs) as stack:
            yield stack
    finally:
        supervisor.close()


@contextmanager
def target(stack: Stack, folder: Path, setup: str = "") -> Iterator[Target]:
    """An intake and two workers that hold a session each."""
    command, name = (sys.executable, "-c", SCRIPT), f"target-{secrets.token_hex(4)}"
    kinds = (
        Process("ingest", command, health="/", ready_s=20, stop_s=0.5),
        Process("worker", command, count=2, health="/", ready_s=20, stop_s=0.5),
    )
    stored = Stored("select 1", relation="events_of_test")
    told = (sys.executable, "-c", setup) if setup else ()
    manifest, home = Manifest(1, "tested", Ingest("ingest"), kinds, stored, setup=told), folder / name
    home.mkdir()
    supervisor = Supervisor(name)
    made = Target(
        manifest, folder, stack, supervisor, run_id=name, state=home / "state", logs=home, settings={}, record=ignore
    )
    try:
        yield made
    finally:
        made.stop_all()
        supervisor.close()


def seen(stack: Stack) -> dict[str, Any]:
    """All that one trial could leave for the next."""
    with psycopg.connect(stack.admin_url(), autocommit=True) as admin, redis.from_url(stack.redis_url()) as client:
        await_closed(admin, client)
        found = {name: admin.execute(query).fetchall() for name, query in QUERIES.items()}
        client.set("tried", 1, px=1)  # not paused, not read-only, not full
        return found | {
            "proxies": stack.toxiproxy.proxies(),
            "settings of redis": client.config_get(),
            "users of redis": client.acl_list(),
            "functions": client.function_list(),
            "scripts": client.script_exists("e0e1f9fabfc9d4800c877a703b823ac0578ff8db"),
            "keys": set(client.scan_iter()) - {b"tried"},
            "clients": sum(each["cmd"] != "client|list" for each in client.client_list()),
            "links": stack.links,
        }


def await_closed(admin: psycopg.Connection[Any], client: redis.Redis) -> None:
    """Wait until the servers have ended the sessions that the harness itself closed a moment ago."""
    ours, deadline = f"{QUERIES['sessions']} and application_name = 'shaketable'", time.monotonic() + 30
    while (admin.execute(ours).fetchall() or len(client.client_list()) > 1) and time.monotonic() < deadline:
        time.sleep(0.02)


QUERIES = {
    "settings": "select name, setting from pg_settings order by 1",
    "databases": "select datname from pg_database where datname not like 'template_%' order by 1",
    "roles": "select rolname, rolsuper, rolcreatedb, rolcreaterole, rolcanlogin, rolconnlimit, rolconfig, "
    "rolvaliduntil::text from pg_roles where oid >= 16384 or rolname = 'postgres' order by 1",
    "members": "select count(*) from pg_auth_members where member >= 16384",
    "settings of roles": "select count(*) from pg_db_role_setting",
    "relations": "select nspname, relname from pg_class c join pg_namespace n on n.oid = relnamespace "
    "where c.oid >= 16384 order by 1, 2",
    "functions of postgres": "select proname from pg_proc where oid >= 16384",
    "sessions": "select application_name from pg_stat_activity where backend_type = 'client backend' "
    "and pid <> pg_backend_pid()",
}


def test_everything_that_a_trial_leaves_is_gone(world: World, request: pytest.FixtureRequest) -> None:
    with world() as stack:
        clean = seen(stack)
        held = psycopg.connect(stack.owner_url())
        request.addfinalizer(held.close)
        held.execute("create table kept (word text)")
        held.commit()
        held.execute("lock table kept")
        with psycopg.connect(stack.admin_url(), autocommit=True) as admin:
            for statement in (
                "create role left_behind login",
                "grant pg_read_all_data to events",
                "alter role events connection limit 3 password 'another' nologin",
                "alter role events set work_mem = '1MB'",
                "alter database events set work_mem = '2MB'",
                "alter system set default_transaction_read_only = on",
                "alter system set max_connections = 50",
                "create database another owner left_behind",
                "select pg_reload_conf()",
            ):
                admin.execute(statement)
        client = redis.from_url(stack.redis_url())
        client.set("kept", 1)
        client.config_set("maxmemory", 1 << 30)
        client.execute_command("ACL", "SETUSER", "left", "on", "+@all")  # type: ignore[no-untyped-call]
        client.execute_command("FUNCTION", "LOAD", "#!lua name=left\nserver.register_function('f', function() end)")  # type: ignore[no-untyped-call]
        client.script_load("return 1")
        link = stack.add_link("tested", "redis")
        stack.toxiproxy.add_toxic(stack.proxy(link), "slow", "latency", {"latency": 100})
    with world() as stack:
        assert seen(stack) == clean


@pytest.mark.parametrize("left", cases(["requirepass", "pause", "frozen", "killed"], ["pause", "killed"]))
def test_server_that_does_not_answer_comes_back_empty(left: str, world: World) -> None:
    with world() as stack:
        clean = seen(stack)
        client = redis.from_url(stack.redis_url())
        client.set("kept", 1)
        if left == "requirepass":
            client.config_set("requirepass", "another")
        elif left == "pause":
            client.client_pause(60_000)
        else:
            for service in ("postgres", "redis"):
                server = stack.server(service)
                server.pause() if left == "frozen" else server.kill()
    with world() as stack:
        assert seen(stack) == clean


@pytest.mark.parametrize("name", cases(list(WARM), EACH_CHANGE))
def test_fault_that_was_never_healed_does_not_reach_the_next_trial(name: str, world: World, tmp_path: Path) -> None:
    kind = WARM[name]
    assert FAULTS.kinds()[name] is kind
    with world() as stack:
        clean = seen(stack)
        with target(stack, tmp_path) as made:
            with psycopg.connect(stack.owner_url(), autocommit=True) as owner:
                owner.execute("create table events_of_test (event_id text)")
            for name in made.instances:
                made.start(name)
            for name in made.instances:
                made.await_ready(name)
            # half an injection is as good a mess as a whole one
            with RunContext(stack, made, ignore, list) as context, suppress(HarnessError):
                sample(kind).inject(context)
    with world() as stack:
        assert seen(stack) == clean


SETUP = """
import os, psycopg
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    connection.execute("create table migrated (word text)")
    connection.execute("insert into migrated values ('once')")
"""


def setup_ran(world: World, folder: Path, setup: str) -> tuple[bool, list[Any]]:
    """Whether the setup ran in a new world, and the rows that it left; then another row is added."""
    with world() as stack, target(stack, folder, setup) as made:
        made.setup()
        with psycopg.connect(stack.owner_url()) as owner:
            rows = owner.execute("select word from migrated").fetchall()
            owner.execute("insert into migrated values ('a trial')")
        return (made._logs / "setup.log").exists(), rows


def test_setup_runs_once_and_each_trial_gets_a_copy(world: World, tmp_path: Path) -> None:
    assert setup_ran(world, tmp_path, SETUP) == (True, [("once",)])
    assert setup_ran(world, tmp_path, SETUP) == (False, [("once",)])
    assert setup_ran(world, tmp_path, f"{SETUP}#another")[0]


@pytest.mark.parametrize(
    "more",
    [
        "import redis; redis.from_url(os.environ['REDIS_URL']).set('left', 1)",
        "open(os.environ['STATE_DIR'] + '/left', 'w').close()",
        "psycopg.connect(os.environ['DATABASE_URL'], autocommit=True).execute('alter role events set work_mem=64')",
    ],
    ids=["a key", "a file", "a setting"],
)
def test_setup_that_leaves_more_than_a_database_runs_each_time(more: str, world: World, tmp_path: Path) -> None:
    for _ in range(2):
        assert setup_ran(world, tmp_path, SETUP + more) == (True, [("once",)])


OWN = Service("own", (sys.executable, "-m", "http.server", "-b", "{host}", "{port}"))


def test_setup_runs_in_each_world_of_a_target_with_a_service_of_its_own(
    world: Callable[..., AbstractContextManager[Stack]], tmp_path: Path
) -> None:
    opened = partial(world, Needs(services=(OWN,)))
    for _ in range(2):
        assert setup_ran(opened, tmp_path, f"{SETUP}#own")[0]


def test_service_that_keeps_the_events_of_other_trials_is_refused(
    world: Callable[..., AbstractContextManager[Stack]],
) -> None:
    with (
        pytest.raises(NotPlayable, match="own is given by its address"),
        world(Needs(services=(Service("own", address="127.0.0.1:1"),))),
    ):
        pass


def test_world_has_the_servers_logs_of_its_own_time_only(world: World) -> None:
    for name in ("first", "second"):
        with world() as stack:
            psycopg.connect(stack.owner_url(), application_name=name).close()
            stack.collect_logs()
            log = (stack._logs / "postgres.log").read_text()  # type: ignore[attr-defined]
    assert "application_name=second" in log
    assert "application_name=first" not in log


def test_fresh_world_is_ready_in_less_time_than_servers_start(world: World, tmp_path: Path) -> None:
    """The median of five, and one cold start in the same minute: a loaded machine slows both."""
    with world():
        pass

    def took(opened: Callable[[], AbstractContextManager[Any]]) -> float:
        began = time.monotonic()
        with opened():
            return time.monotonic() - began

    fresh = sorted(took(world) for _ in range(5))[2]
    supervisor = Supervisor(f"test-{secrets.token_hex(4)}")
    with ports.reserve() as block:
        cold = took(lambda: LocalStack("cold", block, supervisor, tmp_path, quiet))
    supervisor.close()
    print(f"fresh {fresh:.2f} s, cold {cold:.2f} s")
    assert fresh < cold
