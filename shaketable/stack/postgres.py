"""A PostgreSQL server of the local stack: new data directory, loopback only, random passwords."""

from __future__ import annotations

import secrets
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from shaketable import libpq
from shaketable.clock import Clock, SystemClock
from shaketable.errors import HarnessError
from shaketable.stack.disk_shim.disk import Disk
from shaketable.stack.process import Child, Spawn, await_answer, environment
from shaketable.stack.stack import OWN_NAME, Address

#: Timeout of initdb in seconds; it takes 0.8 s.
CREATE_S = 120

#: The target's own role and database.
ROLE = DATABASE = "events"
ADMIN = "postgres"

#: Event content stays out of the log: no statement texts, parameters or ERROR messages, only sessions and durations.
#: log_duration logs one line per finished statement (without text), log_connections one per session: evidence of the
#: statements that a breaker let through. Commit timestamps are evidence of order.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "max_wal_size": "2GB",
    "track_commit_timestamp": "on",
    "password_encryption": "scram-sha-256",
    "log_line_prefix": "%n|%p|%a|",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    "log_connections": "all",
    "log_disconnections": "on",
    "log_duration": "on",
    "log_checkpoints": "off",
    "deadlock_timeout": "500ms",
}
#: A killed server cannot remove its files in /dev/shm; with mmap they are in its data directory, which the run removes.
LOCAL_SETTINGS = {**SETTINGS, "dynamic_shared_memory_type": "mmap"}


class PostgresServer:
    """A server in `folder`, at `port`; `start` may be called again after a crash."""

    def __init__(self, bin_: Path, folder: Path, port: int, log: Path, user: str | None, spawn: Spawn) -> None:
        self._bin, self._folder, self._log, self._user, self._spawn = bin_, folder, log, user, spawn
        self._env = environment(folder)
        self.address = Address("127.0.0.1", port)
        self.password, self.admin_password = secrets.token_urlsafe(18), secrets.token_urlsafe(18)
        self.child: Child | None = None
        self.settings: Mapping[str, str] = {}  # beyond LOCAL_SETTINGS, or in place of them
        self.disk: Disk | None = None  # None: the machine's own

    def create(self) -> None:
        """Create the data directory (takes 0.8 s)."""
        self._folder.mkdir(mode=0o700)
        password_file = self._folder / "password"
        password_file.write_text(self.admin_password, encoding="utf-8")
        if self._user:  # the file first: in its own folder the user could replace it by a link
            shutil.chown(password_file, self._user)
            shutil.chown(self._folder, self._user)
        command = [
            str(self._bin / "initdb"),
            "-D",
            str(self._folder / "data"),
            "-U",
            ADMIN,
            "--pwfile",
            str(password_file),
            "-A",
            "scram-sha-256",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
            "--no-instructions",
            "-c",
            "dynamic_shared_memory_type=mmap",
        ]
        log = self._log.with_name("initdb.log")
        child = self._spawn("initdb", command, env=self._env, cwd=self._folder, log=log, user=self._user)
        if (code := child.wait(CREATE_S)) != 0:
            child.kill()
            ended = "did not end" if code is None else "failed"
            raise HarnessError(f"initdb {ended}: {child.tail(3).strip()[-300:]}")
        password_file.unlink()
        log.unlink()

    def start(self, clock: Clock | None = None) -> Child:
        """Start the server and wait until it answers. Raises HarnessError with its last log lines when it does not."""
        settings = [f"-c{name}={value}" for name, value in {**LOCAL_SETTINGS, **self.settings}.items()]
        command = [str(self._bin / "postgres"), "-D", str(self._folder / "data"), "-p", str(self.address.port)]
        env = {**self._env, **(self.disk.environment if self.disk else {})}
        self.child = self._spawn(
            "postgres", command + settings, env=env, cwd=self._folder, log=self._log, user=self._user
        )
        if self.disk:
            self.disk.child = self.child
        await_answer(self.child, self._answers, clock or SystemClock())
        return self.child

    def stop(self) -> None:
        """End it at once, by SIGQUIT, so that it removes its shared memory; its data are not needed."""
        if self.child is not None:
            self.child.terminate(5, signal.SIGQUIT)

    def admin_url(self, database: str = DATABASE) -> str:
        """Direct, as superuser, with the harness's application name."""
        return url(self.address, ADMIN, self.admin_password, OWN_NAME, database)

    def _answers(self) -> bool:
        return answers(self.admin_url(ADMIN))


def url(at: Address, role: str, password: str, application_name: str, database: str = DATABASE) -> str:
    """A libpq URL to a server at the address `at`."""
    return f"postgresql://{role}:{password}@{at}/{database}?sslmode=disable&application_name={application_name}"


def create_database(admin_url: str, password: str) -> None:
    """Create the target's role, which is not a superuser, and its database."""
    with libpq.connect(admin_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("create role {} login password {}").format(sql.Identifier(ROLE), sql.Literal(password))
        )
        connection.execute(
            sql.SQL("create database {} owner {}").format(sql.Identifier(DATABASE), sql.Identifier(ROLE))
        )


def answers(at: str) -> bool:
    """Whether a server accepts a session at this URL."""
    try:
        libpq.connect(at, connect_timeout=2).close()
        return True
    except psycopg.OperationalError:
        return False
