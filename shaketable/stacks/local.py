"""The local stack: PostgreSQL 18 and Valkey 9 from wheels, the real Toxiproxy; no Docker, no root."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from shaketable.clock import SystemClock
from shaketable.errors import HarnessError, ScenarioError
from shaketable.ports import Ports
from shaketable.process import Child, await_answer, environment, spawn
from shaketable.recovery import RecoveringToxiproxy
from shaketable.stack import Address, Link, Server, Service
from shaketable.stacks import binaries, postgres, toxiproxy_build
from shaketable.stacks.local_server import LocalServer
from shaketable.stacks.postgres import PostgresServer
from shaketable.stacks.valkey import ValkeyServer
from shaketable.supervisor import Supervisor


class LocalStack:
    """Real servers of this run alone. Use as a context manager: what it starts, it ends."""

    def __init__(
        self, run_id: str, ports: Ports, supervisor: Supervisor, logs: Path, say: Callable[[str], None] = print
    ) -> None:
        self._run_id, self._ports, self._supervisor, self._logs, self._say = run_id, ports, supervisor, logs, say
        self._folder: Path | None = None
        self._children: list[Child] = []
        self.links: list[Link] = []

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix=f"shaketable-stack-{self._run_id}-"))
        self._folder.chmod(0o711)  # Postgres's user must pass through
        self._supervisor.folder(self._folder)
        try:
            self._start(self._folder)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _start(self, folder: Path) -> None:
        user = binaries.server_user()
        self.postgres = PostgresServer(binaries.postgres_bin(user), folder / "postgres", self._ports.take(),
                                       self._logs / "postgres.log", user, self._run_id)  # fmt: skip
        self.valkey = ValkeyServer(binaries.valkey_server(), folder / "valkey", self._ports.take(),
                                   self._logs / "valkey.log", self._run_id)  # fmt: skip
        self.postgres.create()
        self.valkey.create()
        self._own(self.postgres.start())
        self._own(self.valkey.start())
        self.postgres.create_database()
        self.toxiproxy = self._start_toxiproxy(folder)

    def _start_toxiproxy(self, folder: Path) -> RecoveringToxiproxy:
        program, port = binaries.toxiproxy_server(self._say), self._ports.take()
        command = [str(program), "-host", "127.0.0.1", "-port", str(port)]
        env = environment(folder, SHAKETABLE_RUN=self._run_id, LOG_LEVEL="warn")
        children: list[Child] = []

        def start() -> None:
            """Also in place of one that is wedged."""
            for earlier in children:
                earlier.kill()
            child = self._own(spawn("toxiproxy", command, env=env, cwd=folder, log=self._logs / "toxiproxy.log"))
            children[:] = [child]
            await_answer(child, lambda: _answers(server), SystemClock())

        server = RecoveringToxiproxy("127.0.0.1", port, start)
        start()
        if (version := server.version()) != toxiproxy_build.VERSION:
            raise HarnessError(f"expected Toxiproxy {toxiproxy_build.VERSION}, got {version} from {program}")
        return server

    def _own(self, child: Child) -> Child:
        self._children.append(child)
        self._supervisor.process(child.name, child.identity)
        return child

    def _end(self) -> None:
        for child in reversed(self._children):
            child.kill()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def owner_url(self) -> str:
        """Direct, as the database's owner (no superuser)."""
        return self.postgres.url(self.postgres.address, postgres.ROLE, self.postgres.password, "setup")

    def admin_url(self) -> str:
        """Direct, as superuser."""
        return self.postgres.admin_url()

    def redis_url(self) -> str:
        """Direct."""
        return self.valkey.url(self.valkey.address)

    def database_url(self, link: Link, application_name: str) -> str:
        """Through a link, as the target connects."""
        return self.postgres.url(link.listen, postgres.ROLE, self.postgres.password, application_name)

    def redis_link_url(self, link: Link) -> str:
        """Through a link, as the target connects."""
        return self.valkey.url(link.listen)

    def server(self, service: Service) -> Server:
        """Postgres or Valkey, as one that can be broken."""
        if service == "ingest":
            raise ScenarioError("the intake is a process of the target: use a fault on processes")
        return LocalServer(self.postgres if service == "postgres" else self.valkey, self._own)

    def add_link(self, process: str, service: Service, upstream: Address | None = None) -> Link:
        """Open a path through the proxy to a service of the stack, or to `upstream`."""
        known = {"postgres": self.postgres.address, "redis": self.valkey.address}
        link = Link(process, service, Address("127.0.0.1", self.take_port()), upstream or known[service])
        self.toxiproxy.create(self.proxy(link), str(link.listen), str(link.upstream))
        self.links.append(link)
        return link

    def remove_link(self, link: Link) -> None:
        """Close a path and free its port."""
        self.toxiproxy.delete(self.proxy(link))
        self.links.remove(link)
        self._ports.give_back(link.listen.port)

    def proxy(self, link: Link) -> str:
        """The link's name in Toxiproxy: it carries the run's id."""
        return f"{self._run_id}-{link.name}"

    def take_port(self) -> int:
        """A free port on loopback."""
        return self._ports.take()


def _answers(server: RecoveringToxiproxy) -> bool:
    try:
        return bool(server.version())
    except HarnessError:
        return False
