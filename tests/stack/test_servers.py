"""What every stack promises of its servers and links, on each that there is."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from shaketable.errors import ScenarioError
from shaketable.evidence import observe
from shaketable.faults import round_trip
from shaketable.stack.host import HostStack
from shaketable.stack.stack import Link, Service
from tests.conftest import Servers
from tests.support.waits import comes

EVERY_STACK = True

SERVICES: list[Service] = ["postgres", "redis"]


@pytest.fixture
def link(stack: HostStack) -> Iterator[Callable[[Service], Link]]:
    made: list[Link] = []

    def add(service: Service) -> Link:
        made.append(stack.add_link(f"tested-{secrets.token_hex(2)}", service))
        return made[-1]

    yield add
    for each in made:
        stack.remove_link(each)


def answers(stack: HostStack, service: Service) -> bool:
    return round_trip.round_trip_ms(service, stack._address(service), 0.5) is not None


def keep(servers: Servers, service: Service, word: str) -> None:
    if service == "redis":
        redis.Redis.from_url(servers.redis_url).set("kept", word)
    else:
        with psycopg.connect(servers.postgres_url) as connection:
            connection.execute("create table if not exists kept (word text)")
            connection.execute("insert into kept values (%s)", [word])


def kept(servers: Servers, service: Service) -> str:
    if service == "redis":
        return str(redis.Redis.from_url(servers.redis_url, decode_responses=True).get("kept"))
    with psycopg.connect(servers.postgres_url) as connection:
        row = connection.execute("select word from kept").fetchone()
        assert row is not None
        return str(row[0])


def test_target_reaches_both_servers_through_links(stack: HostStack, link: Callable[[Service], Link]) -> None:
    with psycopg.connect(stack.database_url(link("postgres"), "worker-1.3")) as connection:
        row = connection.execute("select current_user, current_setting('application_name')").fetchone()
    assert row == ("events", "worker-1.3")
    assert redis.Redis.from_url(stack.redis_link_url(link("redis"))).ping()


def test_target_is_no_superuser_and_commit_times_are_kept(servers: Servers) -> None:
    with psycopg.connect(servers.postgres_url) as connection:
        row = connection.execute("select rolsuper from pg_roles where rolname = current_user").fetchone()
        assert row == (False,)
        assert connection.execute("show track_commit_timestamp").fetchone() == ("on",)


def test_servers_listen_on_loopback_alone(stack: HostStack) -> None:
    ports = {f"{stack._address(service).port:04X}" for service in SERVICES}
    lines = [line.split() for file in ("tcp", "tcp6") for line in Path(f"/proc/net/{file}").read_text().splitlines()]
    listening = [at.split(":") for _, at, _, state, *_ in lines[1:] if state == "0A"]
    assert [host for host, port in listening if port in ports] == ["0100007F"] * 2


@pytest.mark.parametrize("service", SERVICES)
def test_killed_server_is_gone_and_comes_back_with_what_it_had(
    servers: Servers, stack: HostStack, service: Service
) -> None:
    keep(servers, service, "this")
    server = stack.server(service)
    try:
        server.kill()
        assert not server.is_running()
        assert not answers(stack, service)
    finally:
        server.bring_back()
    assert server.is_running()
    assert kept(servers, service) == "this"


@pytest.mark.parametrize("service", SERVICES)
def test_frozen_server_is_silent_and_goes_on(servers: Servers, stack: HostStack, service: Service) -> None:
    server = stack.server(service)
    try:
        server.pause()
        deadline = time.monotonic() + 30  # a signal takes its time to reach all of Postgres's processes
        while server.is_running():
            assert time.monotonic() < deadline, "it still runs"
            time.sleep(0.005)
        assert not answers(stack, service)
    finally:
        server.resume()
    assert server.is_running()
    assert comes(lambda: answers(stack, service))


def test_what_postgres_received_is_told_by_name_and_without_content(servers: Servers, stack: HostStack) -> None:
    name = f"worker-{secrets.token_hex(3)}.1"
    with psycopg.connect(servers.postgres_url, application_name=name) as connection:
        connection.execute("select 'content'")
    deadline, told = time.monotonic() + 30, set[str]()
    while told != {"connect", "statement", "disconnect"} and time.monotonic() < deadline:
        stack.collect_logs()
        told = {row["what"] for row in observe.received(stack._logs / "postgres.log") if row["by"] == name}
    assert told == {"connect", "statement", "disconnect"}
    assert "content" not in (stack._logs / "postgres.log").read_text()


def test_intake_is_no_server_of_the_stack(stack: HostStack) -> None:
    with pytest.raises(ScenarioError, match="process of the target"):
        stack.server("ingest")
