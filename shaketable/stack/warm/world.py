"""The stack of one trial: a fresh world on servers that stay up."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from shaketable.errors import HarnessError, NotPlayable
from shaketable.stack.host import HostStack
from shaketable.stack.ports import Ports
from shaketable.stack.stack import Server, Service
from shaketable.stack.supervisor import Supervisor

if TYPE_CHECKING:
    from shaketable.stack.warm.servers import WarmServers


class WarmStack(HostStack):
    """Implements `shaketable.stack.Stack`. Entering it makes the world fresh; leaving it removes its links."""

    def __init__(
        self,
        servers: WarmServers,
        run_id: str,
        ports: Ports,
        supervisor: Supervisor,
        logs: Path,
        say: Callable[[str], None],
    ) -> None:
        super().__init__(run_id, ports, supervisor, logs, say)
        self._servers = servers

    def _start(self) -> None:
        if given := [each.name for each in self.needs.services if each.address]:
            raise NotPlayable(
                f"{given[0]} is given by its address, so the events of one trial would still be there in the next: let "
                "the manifest start it by a command"
            )
        self._servers.refresh()
        base = self._servers.base
        self.toxiproxy, self.children, self.disks = base.toxiproxy, self._servers.children, base.disks
        self._open.callback(self._remove_links)

    def _remove_links(self) -> None:
        """A target that outlives its trial for a moment must not reach the next trial's world."""
        for link in list(self.links):
            try:
                self.remove_link(link)
            except HarnessError:
                return  # Toxiproxy was lost or wedged: `refresh` removes them, or says so

    def settle(self) -> None:
        self._servers.base.settle()

    def restore_setup(self, key: str) -> bool:
        """A service of the target's own is new in each world, so that its setup is needed again."""
        return not self.own and self._servers.restore_setup(key)

    def save_setup(self, key: str) -> None:
        if not self.own:
            self._servers.save_setup(key)

    def owner_url(self) -> str:
        return self._servers.base.owner_url()

    def admin_url(self) -> str:
        return self._servers.base.admin_url()

    def redis_url(self) -> str:
        return self._servers.base.redis_url()

    def _server(self, service: Service) -> Server:
        return self._servers.base.server(service)

    def collect_logs(self) -> None:
        """Copy the lines that the servers logged in this world."""
        for log in self._servers.logs.glob("*.log"):
            shutil.copyfile(log, self._logs / log.name)
