"""An external Postgres that demands TLS: the target has it through its link, and no attempt stays unseen."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from shaketable.stack import urls
from shaketable.stack.external_services import ExternalServices
from shaketable.stack.stack import Address
from tests.conftest import Servers
from tests.stack.test_external import opened
from tests.support.tls_postgres import demanding

AT = Address("127.0.0.1", 7)


def test_target_reaches_a_server_that_demands_tls(servers: Servers, tmp_path: Path) -> None:
    with demanding(urls.address(servers.postgres_url), tmp_path) as at:
        more = {"sslmode": "verify-ca", "sslrootcert": str(tmp_path / "server.crt")}
        postgres, admin = (urls.through(url, at, **more) for url in (servers.postgres_url, servers.superuser_url))
        with opened(ExternalServices(postgres, servers.redis_url, admin), tmp_path) as stack:
            link = stack.add_link("worker-1", "postgres")
            with psycopg.connect(stack.database_url(link, "worker-1.1")) as connection:
                assert connection.pgconn.ssl_in_use
                assert connection.execute("show application_name").fetchone() == ("worker-1.1",)


@pytest.mark.parametrize("demand", ["sslmode=require", "sslmode=verify-full", "channel_binding=require"])
def test_demand_for_tls_stays_without_the_name_that_a_link_has_not(demand: str) -> None:
    url = f"postgresql://u:p@127.0.0.1:5432/d?{demand}&sslrootcert=system"
    found = urls.query(urls.through_link(url, AT, "worker-1.1"))
    assert (found["sslmode"], "sslrootcert" in found) == ("require", False)


@pytest.mark.parametrize("mode", ["", "?sslmode=prefer", "?sslmode=disable"])
def test_link_has_no_tls_that_nobody_demands(mode: str) -> None:
    found = urls.query(urls.through_link(f"postgresql://u:p@127.0.0.1:5432/d{mode}", AT, "worker-1.1"))
    assert found == {"sslmode": "disable", "application_name": "worker-1.1"}


@pytest.mark.parametrize(("mode", "warnings"), [("verify-full", 1), ("verify-ca", 1), ("require", 0), ("prefer", 0)])
def test_certificate_that_is_not_checked_is_told(mode: str, warnings: int) -> None:
    given = ExternalServices(f"postgresql://u:secret@127.0.0.1:5432/d?sslmode={mode}")
    assert len(given.warnings()) == warnings
    assert not any("secret" in word for word in given.warnings())
