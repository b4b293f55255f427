"""Our client of the real Toxiproxy: every call bounded, every toxic read back, no proxy in between."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import psycopg
import pytest

from shaketable.errors import HarnessError
from shaketable.faults import round_trip
from shaketable.stack.stack import Address, Link
from shaketable.stack.toxiproxy.client import Toxiproxy
from tests.conftest import Servers

EVERY_STACK = True

#: Seconds that an answer may take which does come.
PATIENT_S = 60


@pytest.fixture
def link(servers: Servers) -> Iterator[Link]:
    made = servers.stack.add_link("tested", "postgres")
    yield made
    servers.stack.remove_link(made)


def test_link_leads_to_postgres(servers: Servers, link: Link) -> None:
    with psycopg.connect(servers.stack.database_url(link, "tested.1")) as connection:
        row = connection.execute(
            "select current_setting('is_superuser'), current_setting('application_name')"
        ).fetchone()
    assert row == ("off", "tested.1")


def test_latency_is_felt_and_gone_after_removal(servers: Servers, link: Link) -> None:
    name = servers.stack.proxy(link)
    servers.stack.toxiproxy.add_toxic(name, "slow", "latency", {"latency": 200, "jitter": 0})
    slow = round_trip.round_trip_ms("postgres", link.listen, PATIENT_S)
    servers.stack.toxiproxy.remove_toxic(name, "slow")
    assert slow is not None
    assert slow >= 200
    assert servers.stack.toxiproxy.proxies()[name]["toxics"] == []


def test_attribute_that_the_server_ignores_is_an_error(servers: Servers, link: Link) -> None:
    with pytest.raises(HarnessError, match="latncy"):
        servers.stack.toxiproxy.add_toxic(servers.stack.proxy(link), "typo", "latency", {"latncy": 100})


def test_toxic_of_unknown_kind_is_an_error(servers: Servers, link: Link) -> None:
    with pytest.raises(Exception, match="invalid toxic type"):
        servers.stack.toxiproxy.add_toxic(servers.stack.proxy(link), "odd", "gravity", {"g": 1})


def test_removing_what_is_not_there_is_harmless(servers: Servers, link: Link) -> None:
    servers.stack.toxiproxy.remove_toxic(servers.stack.proxy(link), "never")
    servers.stack.toxiproxy.remove_toxic("no-such-proxy", "never")


def test_toxic_on_a_proxy_that_is_not_there_names_it(servers: Servers) -> None:
    with pytest.raises(HarnessError, match="no-such-proxy"):
        servers.stack.toxiproxy.add_toxic("no-such-proxy", "slow", "latency", {"latency": 1})


def test_proxy_settings_of_the_machine_have_no_effect(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server = servers.stack.toxiproxy
    assert Toxiproxy(server.host, server.port).version() == "2.12.0"


def test_silent_server_is_an_error_within_bounds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = Toxiproxy("127.0.0.1", silent.getsockname()[1])
        with pytest.raises(HarnessError, match="does not answer"):
            server.version()


def test_refused_link_gives_no_answer(servers: Servers, link: Link) -> None:
    servers.stack.toxiproxy.enable(servers.stack.proxy(link), False)
    assert round_trip.round_trip_ms("postgres", link.listen) is None
    servers.stack.toxiproxy.enable(servers.stack.proxy(link), True)
    assert round_trip.round_trip_ms("postgres", link.listen, PATIENT_S) is not None


def test_exchange_with_valkey_needs_no_password(servers: Servers) -> None:
    assert round_trip.round_trip_ms("redis", servers.stack._address("redis"), PATIENT_S) is not None
    assert round_trip.round_trip_ms("redis", Address("127.0.0.1", 9)) is None


def test_deleting_what_is_not_there_is_harmless(servers: Servers) -> None:
    servers.stack.toxiproxy.delete("no-such-proxy")
