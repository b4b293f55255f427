"""Connections of the harness's own: whatever the user's surroundings say to libpq, the URL counts."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from shaketable import libpq
from tests.conftest import Servers
from tests.support.cases import cases

OPTIONS = {option.keyword.decode(): option for option in psycopg.pq.Conninfo.get_defaults()}
VARIABLES = {name: option.envvar.decode() for name, option in OPTIONS.items() if option.envvar}
#: What a session shows of its settings.
SHOWN = "select current_user, current_setting('TimeZone'), current_setting('DateStyle'), current_setting('geqo'), \
current_setting('client_encoding'), current_setting('work_mem'), current_setting('application_name')"
#: Values that libpq or the server takes, and that change a session; any other variable gets one that is refused.
EFFECTIVE = {
    "PGTZ": "Asia/Tokyo",
    "PGDATESTYLE": "German",
    "PGGEQO": "off",
    "PGCLIENTENCODING": "LATIN1",
    "PGOPTIONS": "-c work_mem=77MB",
    "PGAPPNAME": "somebody",
    "PGUSER": "nobody",
    "PGPASSWORD": "wrong",
    "PGHOSTADDR": "192.0.2.1",
    "PGTARGETSESSIONATTRS": "standby",
    "PGSSLMODE": "verify-full",
}
NAMES = sorted({*VARIABLES.values(), *libpq.HIDDEN, "PGREQUIRESSL"})


def session(url: str) -> object:
    with libpq.connect(url) as connection:
        return connection.execute(SHOWN).fetchone()


@pytest.mark.parametrize("variable", cases(NAMES, each_change=["PGOPTIONS", "PGHOST", "PGPASSWORD"]))
def test_no_variable_reaches_a_session(variable: str, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    calm = session(servers.superuser_url)
    monkeypatch.setenv(variable, EFFECTIVE.get(variable, "nonsense"))
    assert session(servers.superuser_url) == calm
    assert os.environ[variable] == EFFECTIVE.get(variable, "nonsense")  # the user's own programs still have it


def test_all_variables_at_once_reach_no_session(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    calm = session(servers.superuser_url)
    for variable in {*VARIABLES.values(), *libpq.HIDDEN}:
        monkeypatch.setenv(variable, EFFECTIVE.get(variable, "nonsense"))
    assert session(servers.superuser_url) == calm


def test_no_file_in_the_home_folder_reaches_a_session(
    servers: Servers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".postgresql").mkdir()
    for name in ("root.crt", "root.crl", "postgresql.crt", "postgresql.key"):
        (tmp_path / ".postgresql" / name).write_text("nonsense")
    (tmp_path / ".pg_service.conf").write_text("nonsense")
    password = urlsplit(servers.superuser_url).password
    without = servers.superuser_url.replace(f":{password}@", "@")
    (tmp_path / ".pgpass").write_text(f"*:*:*:*:{password}\n")
    (tmp_path / ".pgpass").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PGSERVICE", "theirs")
    assert session(servers.superuser_url)
    with pytest.raises(psycopg.OperationalError, match="password"):
        libpq.connect(without)


def test_every_parameter_that_has_a_variable_is_given_or_its_variable_is_hidden() -> None:
    given = libpq.parameters("postgresql://127.0.0.1/d", connect_timeout=1)
    assert {variable for name, variable in VARIABLES.items() if name not in given} <= set(libpq.HIDDEN)


def test_what_the_url_says_counts() -> None:
    url = "postgresql://u@[::1]:5/d?sslmode=verify-full&sslcert=c.pem&sslrootcert=ca.pem&options=-c%20a.b%3D1"
    given = libpq.parameters(url, options="-c c.d=2")
    said = {"user": "u", "host": "::1", "port": "5", "dbname": "d", "sslmode": "verify-full", "sslcert": "c.pem"}
    also = {"sslcertmode": "allow", "sslrootcert": "ca.pem", "options": "-c a.b=1 -c c.d=2"}
    assert {**said, **also}.items() <= given.items()
