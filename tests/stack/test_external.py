"""Given services: only where they may be used, only what belongs to the run is broken, and all of it is taken back."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis

from shaketable.errors import InputError, ScenarioError
from shaketable.stack import own_schema, ports
from shaketable.stack.choice import Choice
from shaketable.stack.external_services import ExternalServices
from shaketable.stack.stack import Stack
from shaketable.stack.supervisor import Supervisor
from tests.conftest import Servers, Typed
from tests.support.cases import nightly

ROOT = Path(__file__).parents[2]
BRIEF = ROOT / "tests" / "stack" / "scenarios" / "brief.py"
HERE = "postgresql://u:secret@127.0.0.1:5432/d"
THERE = "postgresql://u:secret@db.example:5432/d"
REDIS = "redis://:secret@127.0.0.1:6379/0"


@contextmanager
def opened(given: ExternalServices, logs: Path) -> Iterator[Stack]:
    run_id = f"test-{secrets.token_hex(4)}"
    supervisor = Supervisor(run_id)
    try:
        with (
            ports.reserve() as block,
            Choice("external", given).open(run_id, block, supervisor, logs, print) as running,
        ):
            yield running
    finally:
        supervisor.close()


@pytest.fixture
def given(servers: Servers) -> ExternalServices:
    return ExternalServices(servers.postgres_url, servers.redis_url, servers.superuser_url)


def shaken(typed: Typed, scenario: str, given: ExternalServices, runs: Path) -> subprocess.CompletedProcess[str]:
    urls = ["--postgres", given.postgres, "--redis", given.redis, "--postgres-admin", given.postgres_admin]
    return typed("run", scenario, "--stack", "external", "--runs", runs, *urls)


@pytest.mark.slow
def test_target_reaches_given_services_through_links(given: ExternalServices, tmp_path: Path) -> None:
    with opened(given, tmp_path) as stack:
        postgres, queue = stack.add_link("worker-1", "postgres"), stack.add_link("worker-1", "redis")
        with psycopg.connect(stack.database_url(postgres, "worker-1.1")) as connection:
            row = connection.execute("select current_user, current_setting('application_name')").fetchone()
        assert row == ("events", "worker-1.1")
        stack.toxiproxy.enable(stack.proxy(postgres), False)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(stack.database_url(postgres, "worker-1.2"))
        with redis.Redis.from_url(stack.redis_link_url(queue)) as client:
            assert client.ping()


def test_proxies_of_somebody_s_toxiproxy_end_with_the_run(
    given: ExternalServices, servers: Servers, tmp_path: Path
) -> None:
    theirs = servers.stack.toxiproxy
    before = set(theirs.proxies())
    named = ExternalServices(given.postgres, given.redis, given.postgres_admin, f"http://{theirs.host}:{theirs.port}")
    with opened(named, tmp_path) as stack:
        stack.add_link("worker-1", "redis")
        assert len(theirs.proxies()) == len(before) + 1
    assert set(theirs.proxies()) == before


def test_what_a_fault_puts_into_the_database_is_taken_out_whoever_dies(
    given: ExternalServices, servers: Servers, tmp_path: Path
) -> None:
    with psycopg.connect(servers.superuser_url, autocommit=True) as admin:
        with opened(given, tmp_path):
            admin.execute(own_schema.CREATE.encode())
            admin.execute("create function shaketable.f() returns trigger language plpgsql as 'begin return new; end'")
            admin.execute("create table public.kept ()")
            admin.execute("create trigger t before insert on kept for each row execute function shaketable.f()")
        assert admin.execute("select count(*) from pg_trigger where tgname = 't'").fetchone() == (0,)


def test_database_that_is_not_empty_is_refused_unless_told(
    given: ExternalServices, servers: Servers, tmp_path: Path
) -> None:
    with psycopg.connect(servers.postgres_url) as connection:
        connection.execute("create table theirs ()")
    with pytest.raises(InputError, match=r"not empty .*public\.theirs.*--allow-not-empty"), opened(given, tmp_path):
        pass
    with opened(
        ExternalServices(given.postgres, given.redis, given.postgres_admin, allow_not_empty=True), tmp_path
    ) as stack:
        assert stack.links == []


def test_redis_that_is_not_empty_is_refused_unless_told(
    given: ExternalServices, servers: Servers, tmp_path: Path
) -> None:
    with redis.Redis.from_url(servers.redis_url) as client:
        client.set("theirs", "1")
    with pytest.raises(InputError, match=r"not empty \(1 key\).*--allow-not-empty"), opened(given, tmp_path):
        pass


def test_role_that_may_not_judge_is_told_what_it_needs(given: ExternalServices, tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match="--postgres-admin"),
        opened(ExternalServices(given.postgres, given.redis), tmp_path),
    ):
        pass


@pytest.mark.slow
@pytest.mark.parametrize("service", ["postgres", "redis"])
def test_server_that_is_not_ours_is_not_broken(given: ExternalServices, tmp_path: Path, service: str) -> None:
    with opened(given, tmp_path) as stack, pytest.raises(ScenarioError, match="not started by this run"):
        stack.server(service)


def test_services_that_the_target_uses_must_be_given() -> None:
    given = ExternalServices(redis="redis://127.0.0.1:6379/0")
    given.check_for(["redis"])
    with pytest.raises(InputError, match="needs --postgres URL: the services"):
        given.check_for(["postgres", "redis"])


def test_host_beyond_loopback_is_refused_unless_named_and_then_told_of() -> None:
    with pytest.raises(InputError, match=r"--allow-remote db\.example"):
        ExternalServices(THERE, REDIS)
    (warning,) = ExternalServices(THERE, REDIS, allow_remote=("db.example",)).warnings()
    assert "about to break postgresql://u@db.example:5432/d" in warning
    assert "secret" not in warning


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"redis": REDIS, "postgres_admin": HERE}, "--postgres-admin needs --postgres"),
        ({"postgres": HERE, "redis": REDIS, "allow_remote": ("db.example",)}, "no URL leads there"),
        ({"postgres": "mysql://u:secret@127.0.0.1/d", "redis": REDIS}, "--postgres: expected postgresql"),
        ({"postgres": HERE, "redis": REDIS, "postgres_admin": HERE.replace("/d", "/e")}, "same server and database"),
        ({"postgres": HERE, "redis": REDIS, "toxiproxy": "http://proxy.example:8474"}, "on this machine"),
    ],
)
def test_what_cannot_be_used_is_told_without_a_password(given: dict[str, object], word: str) -> None:
    with pytest.raises(InputError, match=word) as error:
        ExternalServices(**given)  # type: ignore[arg-type]
    assert "secret" not in str(error.value)


def test_urls_without_the_stack_they_are_for_are_refused() -> None:
    with pytest.raises(InputError, match="--stack external"):
        Choice("local", ExternalServices(HERE, REDIS))
    with pytest.raises(InputError, match="--postgres URL"):
        Choice("external")


def test_scenario_that_breaks_the_servers_is_refused_before_anything_starts(
    given: ExternalServices, tmp_path: Path, typed: Typed
) -> None:
    done = shaken(typed, "storm", given, tmp_path)
    assert done.returncode == 254, done.stdout + done.stderr
    assert "not started by this run" in done.stderr
    assert not list((tmp_path / "latest" / "logs").glob("worker*"))


@pytest.mark.nightly
def test_shaken_on_given_services_nothing_is_lost(given: ExternalServices, tmp_path: Path, typed: Typed) -> None:
    done = shaken(typed, str(BRIEF), given, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    run = (tmp_path / "latest").resolve()
    assert not (run / "received.jsonl").exists()  # their log is theirs: what Postgres received is unknown
    assert given.postgres not in "".join(path.read_text() for path in run.glob("*.json*"))


@pytest.mark.parametrize(
    "query",
    [
        "host=db.example",
        "hostaddr=192.0.2.1",
        "service=theirs",
        "port=1",
        "dbname=theirs",
        "user=theirs",
        "HOST=x",
        "passfile=/etc/passwd",
        "%68ost=db.example",
        "sslmode=disable&hostaddr=192.0.2.1",
        "load_balance_hosts=random",
    ],
)
def test_url_that_leads_elsewhere_by_its_query_is_refused(query: str) -> None:
    with pytest.raises(InputError, match="--postgres"):
        ExternalServices(f"{HERE}?{query}", REDIS)
    with pytest.raises(InputError, match="--postgres-admin"):
        ExternalServices(HERE, REDIS, f"{HERE}?{query}")


@pytest.mark.parametrize(
    "server",
    [
        "127.0.0.1:5432,db.example:5432",
        "127.0.0.1,db.example",
        "u:p@db.example@127.0.0.1:5432",
        "%64b.example:5432",
        "%2Ftmp",
        "127.0.0.1%2Cdb.example:5432",
        "",
    ],
)
def test_url_that_libpq_reads_otherwise_is_refused(server: str) -> None:
    with pytest.raises(InputError):
        ExternalServices(f"postgresql://{server}/d", REDIS)


@pytest.mark.parametrize(
    "url",
    [
        "redis://127.0.0.1:6379/0?host=db.example",
        "redis://127.0.0.1:6379?port=1",
        "redis://127.0.0.1?path=/tmp/x",
        "redis://127.0.0.1:6379?connection_class=x",
        "unix:///tmp/x",
        "rediss://127.0.0.1:6379",
        "redis:///?path=/x",
    ],
)
def test_redis_url_that_leads_elsewhere_is_refused(url: str) -> None:
    with pytest.raises(InputError, match="--redis"):
        ExternalServices(HERE, url)


def test_query_that_leads_nowhere_is_kept() -> None:
    ExternalServices(f"{HERE}?sslmode=disable&application_name=x", f"{REDIS}?protocol=3")
    ExternalServices("postgresql://u@[::1]:5432/d", "redis://[::1]:6379/1")
    ExternalServices("postgresql://u@localhost/d", "redis://localhost")


def test_surroundings_lead_no_session_elsewhere(
    given: ExternalServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "PGHOSTADDR": "192.0.2.1",
        "PGSERVICE": "theirs",
        "PGHOST": "db.example",
        "PGPORT": "1",
    }.items():
        monkeypatch.setenv(name, value)
    with opened(given, tmp_path) as stack:
        assert stack.links == []


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ("create schema theirs", "schema theirs"),
        nightly(("create function theirs() returns int language sql as 'select 1'", r"function public\.theirs")),
        nightly(("create type theirs as enum ('a')", r"type public\.theirs")),
        ("create role theirs; grant usage on schema public to theirs", "role theirs"),
    ],
)
def test_database_with_anything_of_somebody_s_is_not_empty(
    given: ExternalServices, servers: Servers, tmp_path: Path, made: str, told: str
) -> None:
    with psycopg.connect(servers.superuser_url) as connection:
        connection.execute("set client_min_messages = error")
        for statement in made.split("; "):
            connection.execute(statement)
    try:
        with pytest.raises(InputError, match=f"not empty .*{told}.*--allow-not-empty"), opened(given, tmp_path):
            pass
    finally:
        with psycopg.connect(servers.superuser_url) as connection:
            if "role" in made:
                connection.execute("drop owned by theirs")
                connection.execute("drop role theirs")
