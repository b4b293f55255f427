"""A stack: the Postgres, the Redis and the proxied links that a target stands on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from shaketable.recovery import RecoveringToxiproxy

Service = Literal["postgres", "redis", "ingest"]


@dataclass(frozen=True)
class Address:
    """Where a server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Link:
    """One proxied connection path, of one process alone; kept over that process's restarts."""

    process: str  # whose path this is; the clients' own to the ingest is "clients"
    service: Service
    listen: Address
    upstream: Address

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
    def toxiproxy(self) -> RecoveringToxiproxy: ...

    @property
    def links(self) -> list[Link]: ...

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
