"""A fault: a deliberate failure, how it is healed, and the evidence that it landed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

import msgspec

from shaketable.faults.round_trip import PingResult
from shaketable.stack.disk_shim.disk import Disk
from shaketable.stack.stack import Link, Server, Service
from shaketable.stack.toxiproxy.client import Toxiproxy
from shaketable.stack.wall_clock.clock import WallClock


class Witness(msgspec.Struct, frozen=True):
    """Measured evidence that a fault landed, or that it did not."""

    landed: bool
    figure: float
    unit: str
    text: str


class Closeable(Protocol):
    """A thing that a fault keeps open while it is active."""

    def close(self) -> None: ...


class Links(Protocol):
    """The links of the target's processes to the services, each through a proxy."""

    @property
    def toxiproxy(self) -> Toxiproxy: ...

    def to(self, service: Service, process: str | None = None) -> list[Link]:
        """The links to a service, of one process or kind of process, else of all. Raises ScenarioError for none."""
        ...

    def proxy(self, link: Link) -> str:
        """The link's name in Toxiproxy."""
        ...

    def sink(self, link: Link) -> str:
        """The address of a listener that accepts, counts and closes this link's connections."""
        ...

    def ping(self, link: Link, through: bool) -> PingResult:
        """One exchange with the link's service, through the proxy or past it: how it ended, and how long it took."""
        ...

    def round_trip_ms(self, link: Link, through: bool) -> float | None:
        """The duration of such an exchange; None without an answer."""
        ...

    def transfer_ms(self, link: Link, through: bool, kilobytes: int) -> float | None:
        """The duration of sending so much to the link's service (Postgres and Redis send it back); None if cut off."""
        ...


class Services(Protocol):
    """The services themselves, past every link: PostgreSQL, Redis and the target's own, as far as it uses them."""

    @property
    def store(self) -> str | None:
        """The service in which events are stored; None if the manifest does not say."""
        ...

    @property
    def queue(self) -> str | None:
        """The service that holds the queue, so that the intake needs it; None if the manifest does not say."""
        ...

    @property
    def admin_url(self) -> str:
        """Postgres, as superuser. Raises ScenarioError for a target without postgres."""
        ...

    @property
    def owner_url(self) -> str:
        """Postgres, as the target's own role, which is no superuser. Raises ScenarioError as above."""
        ...

    @property
    def redis_url(self) -> str:
        """Raises ScenarioError for a target without redis."""
        ...

    @property
    def relation(self) -> str:
        """The table of stored events. Raises ScenarioError when the manifest does not name it."""
        ...

    def disk(self, service: Service) -> Disk:
        """The disk of a service's server. Raises ScenarioError when it was not started with one that can be broken."""
        ...

    def server(self, service: Service) -> Server:
        """The server of a service. Raises ScenarioError when this stack cannot break it."""
        ...


class Processes(Protocol):
    """The target's processes, by their instances' names."""

    @property
    def intake(self) -> str:
        """The process that clients send to; `clients` if a sender sends to a service."""
        ...

    def named(self, process: str | None = None) -> list[str]:
        """The processes of that name or kind, or all of them. Raises ScenarioError for none."""
        ...

    def pids(self, instance: str) -> list[int]:
        """The ids of the process and of all that it started, its own first; [] when it is not running."""
        ...

    def left(self, instance: str) -> list[int]:
        """The ids of the processes that it left behind when it ended; [] while it runs."""
        ...

    def kill(self, instance: str) -> None:
        """SIGKILL the process and all that it started."""
        ...

    def stop(self, instance: str) -> None:
        """SIGTERM, and SIGKILL after its grace."""
        ...

    def start(self, instance: str) -> None:
        """Start its next incarnation; it need not be ready yet."""
        ...

    def await_ready(self, instance: str) -> bool:
        """Wait until it answers, at most the manifest's ready_s; returns whether it does."""
        ...

    def pause(self, instance: str) -> None:
        """Freeze the process and all that it started (SIGSTOP)."""
        ...

    def resume(self, instance: str) -> None:
        """Let it continue; harmless if it is gone or not frozen."""
        ...

    def is_alive(self, instance: str) -> bool:
        """Whether its current incarnation runs, frozen or not."""
        ...

    def is_frozen(self, instance: str) -> bool:
        """Whether the kernel reports all of it as stopped."""
        ...

    def clock(self, instance: str) -> WallClock:
        """The wall clock of the process. Raises ScenarioError when it was not started with one of its own."""
        ...

    def shown_offset_s(self, instance: str) -> float | None:
        """Seconds by which its answers' Date header is ahead of the machine's clock; None without such a header."""
        ...

    def run_helper(self, name: str, command: Sequence[str]) -> Closeable:
        """Start a process of the harness's own; closing it ends the process, and so does the end of the run."""
        ...


class FaultContext(Protocol):
    """The parts of a run that a fault may touch."""

    @property
    def links(self) -> Links: ...

    @property
    def services(self) -> Services: ...

    @property
    def processes(self) -> Processes: ...

    @property
    def scratch(self) -> dict[str, float]:
        """Figures that a fault stores between inject, witness and heal, under keys that begin with its kind."""
        ...

    def keep_open(self, key: str, thing: Closeable) -> None:
        """Keep something open (a session that locks, a thread) until it is released, or the run ends."""
        ...

    def release(self, key: str) -> None:
        """Close the thing under this key, if there is one."""
        ...

    def event_ids(self) -> list[str]:
        """The ids of all well-formed events of the schedule."""
        ...


class Fault(Protocol):
    """A frozen value. The context stores its figures between inject and heal. Kinds inherit from it."""

    kind: ClassVar[str]
    colour: ClassVar[str]  # of its band on the plot

    @property
    def label(self) -> str:
        """The text of its band in the report."""
        ...

    @property
    def blocks_store(self) -> bool:
        """Whether nothing at all can be stored while it is active."""
        return False

    def blocks_intake(self, context: FaultContext) -> bool:  # noqa: ARG002
        """Whether the intake is expected to suffer while it is active."""
        return False

    @property
    def freezes(self) -> bool:
        """Whether a process does not read while it is active. It is then healed before others that end at that time.

        Toxiproxy wedges when a toxic is taken off while a client does not read.
        """
        return False

    def targets(self, context: FaultContext) -> list[str]:
        """The links or processes that it breaks, by name. Raises ScenarioError when there are none."""
        ...

    def inject(self, context: FaultContext) -> None: ...

    def heal(self, context: FaultContext) -> None:
        """Undo it; doing so twice, or before it was injected, is harmless."""
        ...

    def settle(self, context: FaultContext) -> None:  # noqa: ARG002
        """Wait until all that was injected has taken effect. The injector calls it before the last witness."""
        return

    def ready(self, context: FaultContext) -> bool | None:  # noqa: ARG002
        """After healing: whether the processes that it had ended answer again; None when it ended none."""
        return None

    def witness(self, context: FaultContext) -> Witness: ...
