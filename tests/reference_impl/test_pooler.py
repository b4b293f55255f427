"""Poolers: where a connection is no session of its own, or loses its options, the reference refuses to start."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from reference_impl.settings import Settings
from reference_impl.store import connections
from shaketable.stack.binaries import server_user
from tests.conftest import Servers
from tests.reference_impl.conftest import until
from tests.support.cases import nightly

PGBOUNCER = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin")
pytestmark = pytest.mark.skipif(PGBOUNCER is None, reason="NOT TESTED: poolers. There is no pgbouncer here")

Pool = Callable[[str], str]


@pytest.fixture
def pool(settings: Settings, servers: Servers) -> Iterator[Pool]:
    """A pgbouncer with these lines in its configuration; returns the database's address through it."""
    started: list[subprocess.Popen[bytes]] = []
    files: list[IO[str]] = []

    def start(lines: str) -> str:
        port, there = servers.stack.take_port(), conninfo_to_dict(settings.database_url)
        place = " ".join(f"{name}={there[name]}" for name in ("host", "port", "dbname", "user", "password"))
        text = f"[databases]\nd = {place}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n"
        configuration = tempfile.NamedTemporaryFile("w", suffix=".ini")  # noqa: SIM115 - tmp_path is closed to another user
        files.append(configuration)
        configuration.write(f"{text}auth_type = any\nunix_socket_dir =\n{lines}\n")
        configuration.flush()
        if user := server_user():
            shutil.chown(configuration.name, user)
        child = subprocess.Popen([str(PGBOUNCER), "-q", configuration.name], stderr=subprocess.DEVNULL, user=user)
        started.append(child)
        url = make_conninfo(host="127.0.0.1", port=port, dbname="d", user="any", sslmode="disable")
        asyncio.run(until(lambda: _listens(port)))
        return url

    yield start
    for child in started:
        child.kill()
        child.wait()
    for configuration in files:
        configuration.close()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


DROPS = "ignore_startup_parameters = options, extra_float_digits"


def keep_options(admin: psycopg.Connection[Any]) -> None:
    """Each session of this database has our mark, whatever a pooler drops."""
    admin.execute(f"alter database {admin.info.dbname} set reference.options = 'on'")


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        (f"pool_mode = transaction\n{DROPS}", "drops"),
        nightly((f"pool_mode = session\n{DROPS}", "drops")),
        nightly(("pool_mode = session", "refuses")),
        nightly((f"pool_mode = transaction\n{DROPS}", "shares")),
    ],
)
def test_a_worker_refuses_a_pooler_that_loses_options_or_sessions(
    settings: Settings,
    servers: Servers,
    admin: psycopg.Connection[Any],
    pool: Pool,
    tmp_path: Path,
    lines: str,
    named: str,
) -> None:
    url = pool(lines)
    if named == "shares":  # it drops the options, and yet each session has them
        keep_options(admin)
    port = servers.stack.take_port()
    given = {"DATABASE_URL": url, "REDIS_URL": settings.redis_url, "STATE_DIR": str(tmp_path), "HTTP_PORT": f"{port}"}
    ended = subprocess.run(
        [sys.executable, "-m", "reference_impl", "work"],
        env=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 78
    assert ended.stderr.startswith("DATABASE_URL: ")
    assert named in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_session_of_its_own_is_taken(settings: Settings, admin: psycopg.Connection[Any], pool: Pool) -> None:
    asyncio.run(connections.require_sessions(settings))
    keep_options(admin)
    url = pool(f"pool_mode = session\n{DROPS}")
    asyncio.run(connections.require_sessions(Settings(database_url=url)))


def test_where_nobody_answers_nothing_is_refused() -> None:
    asyncio.run(
        connections.require_sessions(Settings(database_url="postgresql://u@127.0.0.1:1/d", connect_timeout_s=1))
    )
