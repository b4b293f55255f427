"""A warm stack with a relay behind every link: process, proxy, relay, service."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from shaketable.crash_points.relay import Relay
from shaketable.stack.host import LOOPBACK
from shaketable.stack.ports import Ports
from shaketable.stack.server_options import ServerOptions
from shaketable.stack.service import Needs
from shaketable.stack.stack import CLIENTS, Address, Link, Service, Stack
from shaketable.stack.supervisor import Supervisor
from shaketable.stack.warm import WarmServers
from shaketable.stack.warm.world import WarmStack

#: The relays that are open, by the address at which a link reaches them: a fault finds its process's relay by it.
_OPEN: dict[Address, Relay] = {}


def relay_of(link: Link) -> Relay | None:
    """The relay behind a link; None where there is none."""
    return _OPEN.get(link.upstream)


class RelayedServers:
    """Opens worlds whose links have relays, on warm servers. Has the `open` of a `Choice`."""

    kind = "warm"

    def __init__(self, servers: WarmServers) -> None:
        self.warm = servers
        self.relays: dict[str, Relay] = {}  # by process, of the newest world

    def open(
        self,
        run_id: str,
        ports: Ports,
        supervisor: Supervisor,
        logs: Path,
        say: Callable[[str], None],
        options: ServerOptions = ServerOptions(),  # noqa: ARG002 (no trial sets any)
        needs: Needs | None = None,
    ) -> AbstractContextManager[Stack]:
        self.relays.clear()
        stack = RelayedStack(self.relays, self.warm, run_id, ports, supervisor, logs, say)
        stack.needs = needs or Needs()
        return stack


class RelayedStack(WarmStack):
    """Implements `shaketable.stack.Stack`."""

    def __init__(
        self,
        relays: dict[str, Relay],
        servers: WarmServers,
        run_id: str,
        ports: Ports,
        supervisor: Supervisor,
        logs: Path,
        say: Callable[[str], None],
    ) -> None:
        super().__init__(servers, run_id, ports, supervisor, logs, say)
        self._relays = relays

    def add_link(self, process: str, service: Service, upstream: Address | None = None) -> Link:
        """Create a proxied link to a relay; the clients' gets none, since it is no path of the target."""
        if process == CLIENTS:
            return super().add_link(process, service, upstream)
        server, at = upstream or self.address(service), Address(LOOPBACK, self.take_port())
        relay = self._relays.get(process)
        if relay is None:
            relay = self._relays[process] = Relay(process)
            self._open.callback(relay.close)
        relay.listen(service, at, server)
        _OPEN[at] = relay
        self._open.callback(_OPEN.pop, at, None)
        found = self.service(service)
        listen, probe = Address(LOOPBACK, self.take_port()), found.probe if found else None
        link = Link(process, service, listen, at, server, probe)
        self.toxiproxy.create(self.proxy(link), str(link.listen), str(link.upstream))
        self.links.append(link)
        return link
