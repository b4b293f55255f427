"""The common base of all stacks: links on loopback, and child processes of the harness."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from shaketable.errors import HarnessError, ScenarioError, ServiceMissing
from shaketable.stack import service as spec
from shaketable.stack import urls
from shaketable.stack.disk_shim.disk import Disk
from shaketable.stack.local_server import LocalServer
from shaketable.stack.ports import Ports
from shaketable.stack.process import Child, Running
from shaketable.stack.server_options import ServerOptions
from shaketable.stack.service import OUTBOUND, Needs, filled
from shaketable.stack.service_server import ServiceServer, reachable
from shaketable.stack.stack import Address, Link, Server, Service
from shaketable.stack.supervisor import Supervisor
from shaketable.stack.toxiproxy.repair import RepairingToxiproxy

#: The only address on which proxies, sinks and the target listen.
LOOPBACK = "127.0.0.1"


class HostStack(ABC):
    """Implements `shaketable.stack.Stack`. Use as a context manager: it ends all that it started."""

    toxiproxy: RepairingToxiproxy
    needs: Needs = Needs()

    def __init__(
        self, run_id: str, ports: Ports, supervisor: Supervisor, logs: Path, say: Callable[[str], None] = print
    ) -> None:
        self._run_id, self._ports, self._supervisor, self._logs, self._say = run_id, ports, supervisor, logs, say
        self._open = ExitStack()
        self.links: list[Link] = []
        self.children: list[Child] = []
        self.own: dict[str, ServiceServer] = {}  # services of the target's own that the harness starts
        self.sink_host = LOOPBACK
        self.options = ServerOptions()
        self.disks: dict[Service, Disk] = {}

    def __enter__(self) -> Self:
        try:
            self._start()
            self._start_services()
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def _spawn_server(self, name: str, command: Sequence[str], **more: Any) -> Child:
        """Start a server of the run with `Supervisor.spawn`; initdb is no server and exits when done."""
        child = self._supervisor.spawn(name, command, **more)
        if name != "initdb":
            self.children.append(child)
        return child

    @abstractmethod
    def _start(self) -> None:
        """Start everything, and register its shutdown with `_open`."""

    def _start_services(self) -> None:
        """Start the target's own services, and reach those that are given. Raises HarnessError for a silent one."""
        for each in self.needs.services:
            if each.command:
                self._say(f"starting {each.name}")
                folder = self._supervisor.scratch() / "data"
                log = self._logs / f"{each.name}.log"
                server = ServiceServer(each, folder, self.needs.cwd, self.take_port(), log, self._spawn_server)
                self.own[each.name] = server
                self._open.callback(shutil.rmtree, folder.parent, ignore_errors=True)
                self._open.callback(server.stop)
                server.start()
            elif not reachable(each, self.address(each.name)):
                raise HarnessError(f"{each.name} at {each.address} does not answer: start it, or correct [[service]]")

    def silent_services(self) -> list[str]:
        """A sentence for each given service that does not answer any more."""
        return [
            f"{each.name} at {each.address} does not answer any more, although no fault ordered it"
            for each in self.needs.services
            if not each.command and not reachable(each, self.address(each.name))
        ]

    @property
    def services(self) -> Sequence[str]:
        """The names of the services that it provides."""
        return self.needs.names

    def service(self, name: str) -> spec.Service | None:
        """The manifest's entry of a service of the target's own."""
        return next((each for each in self.needs.services if each.name == name), None)

    def need(self, service: str) -> None:
        """Raise ScenarioError in one sentence unless the stack provides the service."""
        if service not in self.services:
            raise ServiceMissing(
                f"a fault needs {service}, and the target uses {' and '.join(self.services) or 'no service'}"
            )

    def service_url(self, service: str, at: Address) -> str:
        """The value of the variable of a service, as seen at an address."""
        found = self.service(service)
        assert found is not None, service
        password = self.own[service].password if service in self.own else ""
        return filled(found.url or "{host}:{port}", {"host": at.host, "port": at.port, "password": password})

    def address(self, service: str) -> Address:
        """Where the harness reaches a service, without a link."""
        if service in self.own:
            return self.own[service].address
        if (found := self.service(service)) is not None:
            host, _, port = found.address.rpartition(":")
            return Address(host.strip("[]"), int(port))
        return self._address(service)

    @abstractmethod
    def owner_url(self) -> str:
        """Direct, as the database's owner (no superuser)."""

    @abstractmethod
    def admin_url(self) -> str:
        """Direct, as superuser."""

    @abstractmethod
    def redis_url(self) -> str:
        """Direct."""

    @abstractmethod
    def _server(self, service: Service) -> Server:
        """Postgres or Redis, for faults."""

    def server(self, service: Service) -> Server:
        """Postgres or Redis, for faults. Raises ScenarioError for another service."""
        if service == "ingest":
            raise ScenarioError("the intake is a process of the target: use a fault on processes")
        self.need(service)
        if service == OUTBOUND:
            raise ScenarioError("the receiver is the harness's own: break the links to it (Down, Latency, Silence…)")
        if service in self.own:
            return LocalServer(self.own[service])
        if (given := self.service(service)) is not None:
            raise ScenarioError(
                f"{service} at {given.address} was not started by this run, so nothing kills or freezes it: break its "
                "links instead (Down, Latency, Silence…), or let the manifest start it by a command"
            )
        return self._server(service)

    def disk(self, service: Service) -> Disk:
        """The disk of Postgres or Redis, for faults. Raises ScenarioError when its server was started without one."""
        if service in self.disks:
            return self.disks[service]
        raise ScenarioError(
            f"the disk of {service} cannot be broken: that needs --stack local, and a server that was started for it"
        )

    def settle(self) -> None:
        """Count all that the servers have written so far as durable; only disks that faults break distinguish that."""
        for disk in self.disks.values():
            disk.settle()

    def database_url(self, link: Link, application_name: str) -> str:
        """Through a link, as the target connects."""
        return urls.through_link(self.owner_url(), link.listen, application_name)

    def redis_link_url(self, link: Link) -> str:
        """Through a link, as the target connects."""
        return urls.through(self.redis_url(), link.listen)

    def add_link(self, process: str, service: Service, upstream: Address | None = None) -> Link:
        """Create a proxied link to a service of the stack, or to `upstream`."""
        found = self.service(service)
        listen, probe = Address(LOOPBACK, self.take_port()), found.probe if found else None
        link = Link(process, service, listen, upstream or self.address(service), probe=probe)
        self.toxiproxy.create(self.proxy(link), str(link.listen), str(link.upstream))
        self.links.append(link)
        return link

    def _address(self, service: Service) -> Address:
        return urls.address(self.redis_url() if service == "redis" else self.owner_url())

    def remove_link(self, link: Link) -> None:
        """Remove a link and free its port."""
        self.toxiproxy.delete(self.proxy(link))
        self.links.remove(link)
        self._ports.give_back(link.listen.port)

    def proxy(self, link: Link) -> str:
        """The link's name in Toxiproxy; it contains the run's id."""
        return f"{self._run_id}-{link.name}"

    def take_port(self) -> int:
        """A free port on loopback."""
        return self._ports.take()

    def launch(self, name: str, command: Sequence[str], env: Mapping[str, str], cwd: Path, log: Path) -> Running:
        """Start a process of the target that does not outlive the harness."""
        return self._supervisor.spawn(name, command, env=env, cwd=cwd, log=log)

    def restore_setup(self, key: str) -> bool:  # noqa: ARG002
        """No stack but a warm one has earlier worlds."""
        return False

    def save_setup(self, key: str) -> None:  # noqa: B027 (nothing to keep, for no later world)
        """See `restore_setup`."""

    @abstractmethod
    def collect_logs(self) -> None:
        """Copy the servers' logs to the run directory, unless they are written there directly."""
