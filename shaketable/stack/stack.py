"""A stack: the Postgres, the Redis and the proxied links that a target stands on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from shaketable.stack.process import Child, Running
from shaketable.stack.toxiproxy.repair import RepairingToxiproxy

Service = Literal["postgres", "redis", "ingest"]
#: How the harness's own sessions call themselves, at Postgres and at Redis: no fault on the target's ends them.
OWN_NAME = "shaketable"


@dataclass(frozen=True)
class Address:
    """Where a server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Link:
    """One proxied connection path, of one process alone; kept over that process's restarts."""

    process: str  # whose path this is; the clients' own to the ingest is "clients"
    service: Service
    listen: Address
    upstream: Address  # as the proxy calls it
    direct: Address | None = None  # as the harness calls it, where that is another name

    @property
    def past(self) -> Address:
        """Where the harness reaches the service without the link."""
        return self.direct or self.upstream

    @property
    def name(self) -> str:
        """Unique in a stack, and readable in a log."""
        return f"{self.process}-{self.service}"


class Server(Protocol):
    """A server of the stack, as far as a fault may break it. What it has on disk stays."""

    def kill(self) -> None:
        """SIGKILL all of it, and wait until it is gone."""
        ...

    def bring_back(self) -> None:
        """Start it again if it is not running, and wait until it answers. Raises HarnessError when it does not."""
        ...

    def pause(self) -> None:
        """Freeze all of it (SIGSTOP): connections stay open, nothing answers."""
        ...

    def resume(self) -> None:
        """Let it go on; one that is not frozen just does."""
        ...

    def is_running(self) -> bool:
        """Whether it is there and not frozen, as the kernel tells."""
        ...


class Stack(Protocol):
    """Gives addresses: direct ones for the harness, links for the target. Opened and closed by `with`."""

    @property
    def toxiproxy(self) -> RepairingToxiproxy: ...

    @property
    def links(self) -> list[Link]: ...

    @property
    def children(self) -> Sequence[Child]:
        """Every server that runs, or ran, as a process of the harness's own."""
        ...

    @property
    def sink_host(self) -> str:
        """Where a listener of the harness's must be for the proxies to reach it."""
        ...

    def owner_url(self) -> str:
        """Direct, as the database's owner (no superuser)."""
        ...

    def admin_url(self) -> str:
        """Direct, as superuser: for the harness's own eyes and faults."""
        ...

    def redis_url(self) -> str:
        """Direct."""
        ...

    def server(self, service: Service) -> Server:
        """The server behind a service. Raises ScenarioError when this stack cannot break it."""
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
        """Start one incarnation of a process of the target, and see to it that it does not outlive the harness."""
        ...

    def collect_logs(self) -> None:
        """Bring what the servers said to the run's logs, where it does not go by itself."""
        ...
