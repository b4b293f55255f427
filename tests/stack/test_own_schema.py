"""A schema of a user's with the name of the harness's: nothing is created in it, and no run drops it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import psycopg
import pytest

from shaketable.errors import InputError
from shaketable.stack import own_schema
from shaketable.stack.external_services import ExternalServices
from shaketable.stack.undo import DATABASE_AS_IT_WAS, Statements
from tests.conftest import Servers
from tests.stack.test_external import opened


def there(servers: Servers) -> bool:
    with psycopg.connect(servers.superuser_url) as admin:
        row = admin.execute("select to_regclass('shaketable.theirs') is not null").fetchone()
    return bool(row and row[0])


def make(servers: Servers) -> None:
    with psycopg.connect(servers.superuser_url) as admin:
        admin.execute("create schema shaketable")
        admin.execute("create table shaketable.theirs ()")


def test_existing_schema_of_a_user_is_refused_and_stays(servers: Servers, tmp_path: Path) -> None:
    make(servers)
    given = ExternalServices(servers.postgres_url, servers.redis_url, servers.superuser_url, allow_not_empty=True)
    with pytest.raises(InputError, match=r"schema shaketable .*rename"), opened(given, tmp_path):
        pass
    assert there(servers)


def test_schema_that_appears_during_a_run_stays(servers: Servers, tmp_path: Path) -> None:
    given = ExternalServices(servers.postgres_url, servers.redis_url, servers.superuser_url, allow_not_empty=True)
    with opened(given, tmp_path):
        make(servers)
    assert there(servers)


def test_faults_that_begin_at_once_share_one_schema(servers: Servers) -> None:
    both = Barrier(8)

    def create(_: int) -> None:
        with psycopg.connect(servers.superuser_url, autocommit=True) as admin:
            both.wait(30)
            admin.execute(own_schema.CREATE.encode())

    with ThreadPoolExecutor(both.parties) as pool:
        assert list(pool.map(create, range(both.parties))) == [None] * both.parties


def test_undo_drops_only_the_schema_that_the_harness_created(servers: Servers) -> None:
    with psycopg.connect(servers.superuser_url, autocommit=True) as admin:
        admin.execute(own_schema.CREATE.encode())
        admin.execute(own_schema.CREATE.encode())  # a second fault uses the first one's
        assert not own_schema.is_foreign(admin)
        Statements(servers.superuser_url, DATABASE_AS_IT_WAS).perform()
        assert admin.execute("select to_regnamespace('shaketable')").fetchone() == (None,)
        make(servers)
        assert own_schema.is_foreign(admin)
        with pytest.raises(psycopg.errors.RaiseException, match="rename"):
            admin.execute(own_schema.CREATE.encode())
        Statements(servers.superuser_url, DATABASE_AS_IT_WAS).perform()
    assert there(servers)
