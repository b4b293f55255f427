"""Faults of the disk of a server: the parts that all of them share."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar, Literal

import psycopg
import redis

from shaketable import libpq
from shaketable.errors import HarnessError
from shaketable.faults.fault import Fault, FaultContext
from shaketable.stack.disk_shim.disk import Disk

Server = Literal["postgres", "redis"]

#: Seconds after which a server that runs but does not answer is killed and started. PostgreSQL 18 hangs when the
#: process that recovers after a crash panics too: its postmaster neither ends nor starts another one.
RESTART_S = 8.0
#: Seconds within which a server answers after its disk works again: recovery, or a start.
BACK_S = 40.0
#: Seconds that one question to a server may take.
ASK_S = 2


@dataclass(frozen=True)
class DiskFault(Fault):
    """`service` is postgres or redis; its server is started with a disk that can be broken."""

    service: Server
    kind: ClassVar[str]
    limits: ClassVar[str] = """
- Only servers of the local stack, which are started with a library (LD_PRELOAD) when a scenario has such a fault.
- A statically linked server is not intercepted: nothing lands, and the run is unknown.
- Metadata counts as durable: files that were created, renamed, removed, truncated or preallocated stay so.
- Writes through stdio or a shared mapping are not seen. PostgreSQL writes only statistics so, Valkey its snapshots and
  rewritten append-only files, which it syncs before it uses them.
- The kernel would have written most pages after about 30 s; here a write without a sync is never durable."""

    @property
    def blocks_store(self) -> bool:
        return False

    def blocks_intake(self, context: FaultContext) -> bool:
        return self.service == context.services.queue

    def targets(self, context: FaultContext) -> list[str]:
        context.services.disk(self.service)
        return [link.name for link in context.links.to(self.service)]

    def disk(self, context: FaultContext) -> Disk:
        """The disk that it breaks."""
        return context.services.disk(self.service)

    def note(self, context: FaultContext, **figures: float) -> None:
        """Store figures for the witness."""
        context.scratch.update({f"{self.kind}.{self.service}.{name}": value for name, value in figures.items()})

    def noted(self, context: FaultContext, name: str) -> float | None:
        """A stored figure; None before the injection."""
        return context.scratch.get(f"{self.kind}.{self.service}.{name}")

    def bring_back(self, context: FaultContext) -> None:
        """Wait until the server answers, and start it if it has ended. Raises HarnessError when it does not answer."""
        server, began, restarted = context.services.server(self.service), time.monotonic(), False
        if self.disk(context).crashed():
            raise HarnessError(f"{self.service} was killed by SIGSEGV or SIGBUS, maybe by the library of its disk")
        server.bring_back()
        while not _answers(context, self.service):
            if time.monotonic() > began + BACK_S:
                raise HarnessError(f"{self.service} does not answer {BACK_S:g} s after its disk works again")
            if not restarted and time.monotonic() > began + RESTART_S:
                server.kill()
                restarted = True
            time.sleep(0.1)
            server.bring_back()  # it may end only now, in a recovery that began while its disk was broken
        self.disk(context).recovered()


def _answers(context: FaultContext, service: Server) -> bool:
    """Whether the server accepts a session, past every link."""
    try:
        if service == "postgres":
            libpq.connect(context.services.admin_url, connect_timeout=ASK_S).close()
        else:
            with redis.Redis.from_url(context.services.redis_url, socket_timeout=ASK_S) as client:
                client.ping()
    except (psycopg.OperationalError, redis.RedisError):
        return False
    return True
