"""Local servers that stay up, and the fresh worlds that they hold one after another."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from shaketable.errors import HarnessError, NotPlayable
from shaketable.stack import ports as blocks
from shaketable.stack.disk_shim.disk import Disk
from shaketable.stack.local import LocalStack
from shaketable.stack.ports import Ports
from shaketable.stack.process import Child
from shaketable.stack.server_options import ServerOptions
from shaketable.stack.service import Needs
from shaketable.stack.stack import Service
from shaketable.stack.supervisor import Supervisor
from shaketable.stack.warm.postgres import WarmPostgres
from shaketable.stack.warm.valkey import WarmValkey
from shaketable.stack.warm.world import WarmStack


class WarmServers:
    """A context manager. `open` gives a fresh world, and may be called again once that one is closed.

    One world at a time: trials that run at once need WarmServers each. Faults can break the `disks` of these services.
    Raises HarnessError when a server does not start, or does not come back after a trial's fault, NotPlayable when
    there is no library for the disks.
    """

    kind = "warm"

    def __init__(self, say: Callable[[str], None] = print, disks: frozenset[Service] = frozenset()) -> None:
        self._say, self._disks, self._opened = say, disks, ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            run_id = f"warm{secrets.token_hex(3)}"
            home = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix=f"shaketable-{run_id}-")))
            self.logs = home / "logs"
            self.logs.mkdir()
            self._supervisor = Supervisor(run_id)
            opened.callback(self._supervisor.close)
            self._supervisor.folder(home)
            block = opened.enter_context(blocks.reserve())
            base = LocalStack(run_id, block, self._supervisor, self.logs, self._say)
            base.options = ServerOptions(disks=self._disks)
            self.base = opened.enter_context(base)
            self.postgres, self.valkey = WarmPostgres(self.base.postgres), WarmValkey(self.base.valkey)
            self._opened = opened.pop_all()
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    def open(
        self,
        run_id: str,
        ports: Ports,
        supervisor: Supervisor,
        logs: Path,
        say: Callable[[str], None],
        options: ServerOptions = ServerOptions(),
        needs: Needs | None = None,
    ) -> WarmStack:
        """A fresh world as the stack of one run, a context manager; `ports` are for its links and its target.

        A service of the target's own is started anew in each world. Raises NotPlayable when the scenario needs settings
        or disks with which these servers have not started.
        """
        if options.settings or not options.disks <= self._disks:
            raise NotPlayable("the scenario sets up servers or disks of its own, for which it needs a cold stack")
        stack = WarmStack(self, run_id, ports, supervisor, logs, say)
        stack.needs = needs or Needs()
        return stack

    @property
    def children(self) -> list[Child]:
        """The running servers, and the supervisor that ends them."""
        return [self._supervisor.child, *self.base.children]

    def refresh(self) -> None:
        """Return every server to the state in which it started. Raises HarnessError when one does not come back."""
        for service, disk in self.base.disks.items():
            self._free(service, disk)
        self.valkey.refresh()
        self.postgres.refresh()
        self.base.toxiproxy.clear()
        self.base.children[:] = [child for child in self.base.children if child.poll() is None]
        for log in self.logs.glob("*.log"):  # each is open for appending: its writer goes on at the new end
            log.write_bytes(b"")

    def _free(self, service: Service, disk: Disk) -> None:
        """End a disk's faults. A server that one allowed to end is started anew: its next end must not pass unseen."""
        disk.reset()
        if disk.counters().broken:
            raise HarnessError(disk.problem())
        if disk.child is not None and disk.child.asked_to_end:
            self.base.server(service).kill()

    def restore_setup(self, key: str) -> bool:
        """Copy the database that the setup of this key migrated; False when there is none."""
        return self.postgres.copy_template(key)

    def save_setup(self, key: str) -> None:
        """Keep the database as a template, if the setup changed nothing else in a server."""
        if self.valkey.is_fresh() and self.postgres.has_no_settings():
            self.postgres.save_template(key)
