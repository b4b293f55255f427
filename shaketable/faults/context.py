"""The context of the faults in one run: its links, services and processes, and a scratch pad."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import Any, Self

from shaketable.errors import HarnessError, ScenarioError
from shaketable.faults import round_trip, throughput
from shaketable.faults.fault import Closeable
from shaketable.faults.run_processes import RunProcesses
from shaketable.faults.sink import Sink
from shaketable.op import Op
from shaketable.stack.disk_shim.disk import Disk
from shaketable.stack.stack import CLIENTS, Link, Server, Service, Stack, owner_of
from shaketable.stack.toxiproxy.client import Toxiproxy
from shaketable.target.body_server import WITNESS
from shaketable.target.clients import INGEST
from shaketable.target.target import Target

#: So often a link that passed nothing is asked again, 2 s each time: a starved machine holds a process up for seconds.
AGAIN = 4


class RunLinks:
    """`Links` of a run; sinks stay open until `opened` closes."""

    def __init__(self, stack: Stack, record: Callable[[Op], None], opened: ExitStack, processes: RunProcesses) -> None:
        self._stack, self._record, self._open, self._processes = stack, record, opened, processes
        self._sinks: dict[str, Sink] = {}
        self._opening = threading.Lock()  # each fault has a thread of its own

    @property
    def toxiproxy(self) -> Toxiproxy:
        return self._stack.toxiproxy

    def to(self, service: Service, process: str | None = None) -> list[Link]:
        if process == "intake":
            process = owner_of(process, self._processes.intake)
        if process is None or process == CLIENTS == self._processes.intake:
            wanted = process and [process]
        else:
            wanted = self._processes.named(process)
        found = [
            link
            for link in self._stack.links
            if (link.process == CLIENTS if service == INGEST else link.service == service)
            and (wanted is None or link.process in wanted)
        ]
        if not found:
            if service != INGEST:
                self._stack.need(service)
            raise ScenarioError(
                f"no link leads to {service!r}{f' from {process!r}' if process else ''}: nothing to break"
            )
        return found

    def proxy(self, link: Link) -> str:
        return self._stack.proxy(link)

    def sink(self, link: Link) -> str:
        """The sink of a link, opened at its first use."""
        with self._opening:
            if link.name not in self._sinks:
                self._sinks[link.name] = self._open.enter_context(Sink(link, self._record, self._stack.sink_host))
            return self._sinks[link.name].address

    def ping(self, link: Link, through: bool) -> round_trip.PingResult:
        return round_trip.ping(link.service, link.listen if through else link.past, probe=link.probe)

    def round_trip_ms(self, link: Link, through: bool) -> float | None:
        return self.ping(link, through).ms

    def transfer_ms(self, link: Link, through: bool, kilobytes: int) -> float | None:
        return throughput.ms(link.service, self._url(link, through), kilobytes)

    def _url(self, link: Link, through: bool) -> str:
        stack = self._stack
        if link.service == "postgres":
            return stack.database_url(link, "shaketable") if through else stack.owner_url()
        if link.service == "redis":
            return stack.redis_link_url(link) if through else stack.redis_url()
        if link.service in ("ingest", "outbound"):
            return f"http://{link.listen if through else link.past}{WITNESS}"
        raise ScenarioError(
            f"this fault needs postgres, redis or the intake, since its witness sends data there: got {link.service!r}"
        )

    def check(self) -> None:
        """Every link is as it was made, and passes an exchange. Raises HarnessError naming those that do not.

        A service that does not answer past its link either is no fault of the link: the target is judged by it.
        """
        found = self.toxiproxy.proxies()
        if odd := [link.name for link in self._stack.links if not _untouched(link, found.get(self.proxy(link), {}))]:
            raise HarnessError(f"the proxy of {', '.join(odd)} is not as it was made, although no fault is active")
        if dead := [link.name for link in self._stack.links if self._is_dead(link)]:
            raise HarnessError(f"no exchange through the link {', '.join(dead)}, although no fault is active")

    def _is_dead(self, link: Link) -> bool:
        """Whether only the link passes nothing, also when asked again: its service or Toxiproxy may be held up."""
        passes = partial(self._passes, link)
        if passes(through=True) or not passes(through=False):
            return False
        return not any(passes(through=True) for _ in range(AGAIN))

    def _passes(self, link: Link, through: bool) -> bool:
        return self.ping(link, through).how in ("answered", "open")


class RunServices:
    """`Services` of a run."""

    def __init__(self, stack: Stack, target: Target) -> None:
        self._stack, self._target = stack, target

    @property
    def store(self) -> str | None:
        return self._target.manifest.store

    @property
    def queue(self) -> str | None:
        return self._target.manifest.queue_service

    @property
    def admin_url(self) -> str:
        return self._stack.admin_url()

    @property
    def owner_url(self) -> str:
        return self._stack.owner_url()

    @property
    def redis_url(self) -> str:
        return self._stack.redis_url()

    @property
    def relation(self) -> str:
        if (relation := self._target.manifest.stored.relation) is None:
            raise ScenarioError(
                f"name the relation that this fault breaks under [stored] of {self._target.manifest.name}"
            )
        return relation

    def server(self, service: Service) -> Server:
        return self._stack.server(service)

    def disk(self, service: Service) -> Disk:
        return self._stack.disk(service)


class RunContext:
    """`FaultContext` of a run. Use as a context manager: open things and sinks are closed with it."""

    def __init__(
        self, stack: Stack, target: Target, record: Callable[[Op], None], event_ids: Callable[[], list[str]]
    ) -> None:
        self._stack, self._record, self._event_ids = stack, record, event_ids
        self._kept: dict[str, Closeable] = {}
        self._open = ExitStack()
        self.scratch: dict[str, float] = {}
        self.processes, self.services = RunProcesses(target, stack), RunServices(stack, target)
        self.links = RunLinks(stack, record, self._open, self.processes)

    def __enter__(self) -> Self:
        self._stack.toxiproxy.record = self._record
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for key in self._kept:
            self._open.callback(self.release, key)
        self._open.close()  # one that cannot be released hinders no other

    def event_ids(self) -> list[str]:
        return self._event_ids()

    def keep_open(self, key: str, thing: Closeable) -> None:
        self.release(key)
        self._kept[key] = thing

    def release(self, key: str) -> None:
        if (thing := self._kept.pop(key, None)) is not None:
            thing.close()


def _untouched(link: Link, found: Mapping[str, Any]) -> bool:
    """Whether Toxiproxy reports the link's proxy as it was made."""
    return bool(found.get("enabled")) and not found.get("toxics") and found.get("upstream") == str(link.upstream)
