"""The context: the stack, the target and the sinks of one run, as far as a fault may touch them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from shaketable.errors import HarnessError, ScenarioError
from shaketable.faults import round_trip, throughput
from shaketable.faults.fault import Closeable
from shaketable.faults.sink import Sink
from shaketable.op import Op
from shaketable.stack.stack import Link, Server, Service, Stack
from shaketable.stack.toxiproxy.client import Toxiproxy
from shaketable.target.target import Target


class RunContext:
    """Keeps `shaketable.faults.fault.FaultContext`. Use as a context manager: sinks end with it."""

    def __init__(
        self, stack: Stack, target: Target, record: Callable[[Op], None], event_ids: Callable[[], list[str]]
    ) -> None:
        self._stack, self._target, self._record, self._event_ids = stack, target, record, event_ids
        self._sinks: dict[str, Sink] = {}
        self._held: dict[str, Closeable] = {}
        self.notes: dict[str, float] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._stack.toxiproxy.record = self._record
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for key in self._held:
            self._open.callback(self.release, key)
        self._open.close()  # one that cannot be released hinders no other

    @property
    def toxiproxy(self) -> Toxiproxy:
        return self._stack.toxiproxy

    @property
    def admin_url(self) -> str:
        return self._stack.admin_url()

    @property
    def owner_url(self) -> str:
        return self._stack.owner_url()

    @property
    def redis_url(self) -> str:
        return self._stack.redis_url()

    def server(self, service: Service) -> Server:
        return self._stack.server(service)

    @property
    def relation(self) -> str:
        """Where the target stores events. Raises ScenarioError when its manifest does not say."""
        if (relation := self._target.manifest.stored.relation) is None:
            raise ScenarioError(
                f"name the relation that this fault breaks under [stored] of {self._target.manifest.name}"
            )
        return relation

    def event_ids(self) -> list[str]:
        return self._event_ids()

    def hold(self, key: str, thing: Closeable) -> None:
        self.release(key)
        self._held[key] = thing

    def release(self, key: str) -> None:
        if (thing := self._held.pop(key, None)) is not None:
            thing.close()

    def links(self, service: Service, process: str | None = None) -> list[Link]:
        """The links to a service, of one process or kind, else of all."""
        wanted = None if process is None else self.instances(process)
        found = [ln for ln in self._stack.links if ln.service == service and (wanted is None or ln.process in wanted)]
        if not found:
            raise ScenarioError(
                f"no link leads to {service!r}{f' from {process!r}' if process else ''}: nothing to break"
            )
        return found

    def proxy(self, link: Link) -> str:
        return self._stack.proxy(link)

    def sink(self, link: Link) -> str:
        """The sink of a link, opened at its first use."""
        if link.name not in self._sinks:
            self._sinks[link.name] = self._open.enter_context(Sink(link, self._record, self._stack.sink_host))
        return self._sinks[link.name].address

    def round_trip_ms(self, link: Link, through: bool) -> float | None:
        return self.ask(link, through).ms

    def ask(self, link: Link, through: bool) -> round_trip.PingResult:
        return round_trip.ping(link.service, link.listen if through else link.past)

    def transfer_ms(self, link: Link, through: bool, kilobytes: int) -> float | None:
        stack = self._stack
        urls = {
            "postgres": stack.database_url(link, "shaketable") if through else stack.owner_url(),
            "redis": stack.redis_link_url(link) if through else stack.redis_url(),
            "ingest": f"http://{link.listen if through else link.past}/",
        }
        return throughput.ms(link.service, urls[link.service], kilobytes)

    @property
    def intake(self) -> str:
        return self._target.intake_instance.name

    def instances(self, process: str | None = None) -> list[str]:
        found = self._target.instances.values() if process is None else self._target.named(process)
        return [instance.name for instance in found]

    def pids(self, instance: str) -> list[int]:
        child = self._target.instances[instance].child
        return [process.pid for process in child.tree()] if child and self.is_alive(instance) else []

    def kill(self, instance: str) -> None:
        self._target.kill(instance)

    def stop(self, instance: str) -> None:
        self._target.stop(instance)

    def start(self, instance: str) -> None:
        self._target.start(instance)

    def await_ready(self, instance: str) -> bool:
        return self._target.becomes_ready(instance)

    def beside(self, name: str, command: Sequence[str]) -> Closeable:
        return self._target.beside(name, command)

    def pause(self, instance: str) -> None:
        self._target.instances[instance].running.pause()

    def resume(self, instance: str) -> None:
        if self.is_alive(instance):
            self._target.instances[instance].running.resume()

    def is_alive(self, instance: str) -> bool:
        child = self._target.instances[instance].child
        return child is not None and child.poll() is None

    def is_frozen(self, instance: str) -> bool:
        return self.is_alive(instance) and self._target.instances[instance].running.is_frozen()

    def check_links(self) -> None:
        """Every link is as it was made, and passes an exchange. Raises HarnessError naming those that do not.

        What does not answer past its link either is no matter of the link: the target's silence is judged, not raised.
        """
        told = self._stack.toxiproxy.proxies()
        if odd := [link.name for link in self._stack.links if not _untouched(link, told.get(self.proxy(link), {}))]:
            raise HarnessError(f"the proxy of {', '.join(odd)} is not as it was made, although no fault is active")
        if dead := [link.name for link in self._stack.links if self._is_dead(link)]:
            raise HarnessError(f"no exchange through the link {', '.join(dead)}, although no fault is active")

    def _is_dead(self, link: Link) -> bool:
        return self.round_trip_ms(link, through=True) is None and self.round_trip_ms(link, through=False) is not None


def _untouched(link: Link, told: Mapping[str, Any]) -> bool:
    """Whether what Toxiproxy tells of a link's proxy is what it was made as."""
    return bool(told.get("enabled")) and not told.get("toxics") and told.get("upstream") == str(link.upstream)
