"""A stack: the Postgres, the Redis and the proxied links that a target uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from shaketable.stack import service as spec
from shaketable.stack.disk_shim.disk import Disk
from shaketable.stack.process import Child, Running
from shaketable.stack.server_options import ServerOptions
from shaketable.stack.toxiproxy.repair import RepairingToxiproxy

if TYPE_CHECKING:
    from shaketable.stack.ports import Ports
    from shaketable.stack.service_server import ServiceServer
    from shaketable.stack.supervisor import Supervisor

#: The name of a service: `postgres`, `redis`, `ingest` (the intake), or the name of a [[service]] of the manifest.
Service = str
#: The harness's session name at Postgres and Redis: faults that end the target's sessions spare these.
OWN_NAME = "shaketable"
#: The owner of the link by which the load reaches the target.
CLIENTS = "clients"


@dataclass(frozen=True)
class Address:
    """A server's address."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Link:
    """A proxied connection path of one process; it survives that process's restarts."""

    process: str  # the owner; "clients" for the clients' path to the intake
    service: Service
    listen: Address
    upstream: Address  # as the proxy sees it
    direct: Address | None = None  # as the harness sees it, if different
    probe: spec.ServiceProbe | None = None  # of a service of the target's own

    @property
    def past(self) -> Address:
        """The address at which the harness reaches the service without the link."""
        return self.direct or self.upstream

    @property
    def name(self) -> str:
        """A readable name, unique in a stack."""
        return f"{self.process}-{self.service}"


class Server(Protocol):
    """A server of the stack, for faults. Its data on disk survive."""

    def kill(self) -> None:
        """SIGKILL all its processes, and wait until they have exited."""
        ...

    def bring_back(self) -> None:
        """Start it unless it is running, and wait until it answers. Raises HarnessError when it does not."""
        ...

    def pause(self) -> None:
        """Freeze it (SIGSTOP): connections stay open, but nothing answers."""
        ...

    def resume(self) -> None:
        """Let it go on; one that is not frozen just does."""
        ...

    def is_running(self) -> bool:
        """Whether the kernel reports it as running and not frozen."""
        ...


class StackSource(Protocol):
    """Opens the stack of a run: a `Choice`, or servers that stay up from one run to the next (`warm`)."""

    @property
    def kind(self) -> str: ...

    def open(
        self,
        run_id: str,
        ports: Ports,
        supervisor: Supervisor,
        logs: Path,
        say: Callable[[str], None],
        options: ServerOptions = ...,
        needs: spec.Needs | None = None,
    ) -> AbstractContextManager[Stack]:
        """The stack, as a context manager; `ports` are for its links and for the target.

        It provides what the target `needs`, by default PostgreSQL and Redis. Raises NotPlayable when its servers cannot
        run with these options.
        """
        ...


class Stack(Protocol):
    """Provides direct addresses for the harness, and links for the target. A context manager."""

    @property
    def toxiproxy(self) -> RepairingToxiproxy: ...

    @property
    def links(self) -> list[Link]: ...

    @property
    def services(self) -> Sequence[str]:
        """The names of the services that it provides: `postgres` and `redis` if needed, and the target's own."""
        ...

    @property
    def own(self) -> Mapping[str, ServiceServer]:
        """The services of the target's own that the harness started, by name."""
        ...

    def service(self, name: str) -> spec.Service | None:
        """The manifest's entry of a service of the target's own; None for a built-in one and for the intake."""
        ...

    def silent_services(self) -> list[str]:
        """A sentence for each given service of the target's own that does not answer any more."""
        ...

    def need(self, service: str) -> None:
        """Raise ScenarioError in one sentence unless the stack provides the service."""
        ...

    def service_url(self, service: str, at: Address) -> str:
        """The value of the variable of a service of the target's own, as seen at an address."""
        ...

    def address(self, service: str) -> Address:
        """Where the harness reaches a service, without a link."""
        ...

    @property
    def children(self) -> Sequence[Child]:
        """All servers started as child processes of the harness, running or not."""
        ...

    @property
    def sink_host(self) -> str:
        """The address on which a sink must listen so that the proxies reach it."""
        ...

    def owner_url(self) -> str:
        """Direct, as the database's owner (no superuser)."""
        ...

    def admin_url(self) -> str:
        """Direct, as superuser: for the harness's observations and faults."""
        ...

    def redis_url(self) -> str:
        """Direct."""
        ...

    def server(self, service: Service) -> Server:
        """The server behind a service. Raises ScenarioError when this stack cannot break it."""
        ...

    def disk(self, service: Service) -> Disk:
        """The disk of a service's server. Raises ScenarioError when it was not started with one that can be broken."""
        ...

    def settle(self) -> None:
        """Count all that the servers have written so far as durable."""
        ...

    def database_url(self, link: Link, application_name: str) -> str:
        """Through a link, as the target connects."""
        ...

    def redis_link_url(self, link: Link) -> str:
        """Through a link, as the target connects."""
        ...

    def add_link(self, process: str, service: Service, upstream: Address | None = None) -> Link:
        """Open a path through the proxy to a service of the stack, or to `upstream`."""
        ...

    def proxy(self, link: Link) -> str:
        """The link's name in Toxiproxy."""
        ...

    def take_port(self) -> int:
        """A free port on loopback, for one of the target's processes."""
        ...

    def launch(self, name: str, command: Sequence[str], env: Mapping[str, str], cwd: Path, log: Path) -> Running:
        """Start one incarnation of a process of the target that does not outlive the harness."""
        ...

    def restore_setup(self, key: str) -> bool:
        """Restore the state that the setup of this key left in an earlier world; False: the setup must run."""
        ...

    def save_setup(self, key: str) -> None:
        """The setup of this key has run, and left nothing outside the servers: a warm stack keeps that state."""
        ...

    def collect_logs(self) -> None:
        """Copy the servers' logs to the run directory, unless they are written there directly."""
        ...


def owner_of(process: str | None, intake: str) -> str | None:
    """The owner of the links that a fault means by a process: without an intake, its links are the clients'."""
    return CLIENTS if process == "intake" and intake == CLIENTS else process
