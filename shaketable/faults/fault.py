"""A fault: something that goes wrong on purpose, how it is healed, and the evidence that it landed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

import msgspec

from shaketable.faults.round_trip import PingResult
from shaketable.stack.stack import Link, Server, Service
from shaketable.stack.toxiproxy.client import Toxiproxy


class Witness(msgspec.Struct, frozen=True):
    """Measured evidence that a fault landed, or that it did not."""

    landed: bool
    figure: float
    unit: str
    text: str


class Closeable(Protocol):
    """What a fault may leave open while it is active."""

    def close(self) -> None: ...


class FaultContext(Protocol):
    """What a fault may touch: the links, processes and sinks of this run, and nothing else."""

    @property
    def toxiproxy(self) -> Toxiproxy: ...

    @property
    def admin_url(self) -> str:
        """Postgres, direct, as superuser."""
        ...

    @property
    def owner_url(self) -> str:
        """Postgres, direct, as the target's own role, which is no superuser."""
        ...

    @property
    def redis_url(self) -> str:
        """Redis, direct."""
        ...

    def server(self, service: Service) -> Server:
        """The server behind a service. Raises ScenarioError when this stack cannot break it."""
        ...

    @property
    def relation(self) -> str:
        """Where the target stores events. Raises ScenarioError when its manifest does not say."""
        ...

    def event_ids(self) -> list[str]:
        """The ids of all well-formed events that are scheduled."""
        ...

    @property
    def notes(self) -> dict[str, float]:
        """Figures that a fault keeps between inject, witness and heal, under keys that begin with its kind."""
        ...

    def hold(self, key: str, thing: Closeable) -> None:
        """Keep something open (a session that locks, a thread) until it is released, or the run ends."""
        ...

    def release(self, key: str) -> None:
        """Close what is held under this key; nothing there is closed already."""
        ...

    def links(self, service: Service, process: str | None = None) -> list[Link]:
        """The links to a service, of one process or kind of process, else of all. Raises ScenarioError for none."""
        ...

    def proxy(self, link: Link) -> str:
        """The link's name in Toxiproxy."""
        ...

    def sink(self, link: Link) -> str:
        """The address of a listener that accepts, counts and closes this link's connections."""
        ...

    def round_trip_ms(self, link: Link, through: bool) -> float | None:
        """One exchange with the link's service, through the proxy or past it; None when there is no answer."""
        ...

    def ask(self, link: Link, through: bool) -> PingResult:
        """The same, told by how it ended."""
        ...

    def transfer_ms(self, link: Link, through: bool, kilobytes: int) -> float | None:
        """So much sent to the link's service (Postgres and Redis send it back too), timed; None when it broke off."""
        ...

    @property
    def intake(self) -> str:
        """The process that clients send to, by its name."""
        ...

    def instances(self, process: str | None = None) -> list[str]:
        """The target's processes of that name or kind, or all of them. Raises ScenarioError for none."""
        ...

    def pids(self, instance: str) -> list[int]:
        """The numbers of its processes, the first one first; [] when it is not there."""
        ...

    def kill(self, instance: str) -> None:
        """SIGKILL it with all it started."""
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

    def beside(self, name: str, command: Sequence[str]) -> Closeable:
        """Start a process of the harness's own beside the target; closing ends it, and so does the run's end."""
        ...

    def pause(self, instance: str) -> None:
        """Freeze it with all it started (SIGSTOP)."""
        ...

    def resume(self, instance: str) -> None:
        """Let it go on; one that is gone or not frozen needs none."""
        ...

    def is_alive(self, instance: str) -> bool:
        """Whether its current incarnation is there, frozen or not."""
        ...

    def is_frozen(self, instance: str) -> bool:
        """Whether all of it is stopped, as the kernel tells."""
        ...


class Fault(Protocol):
    """A frozen value. Whatever it must remember between inject and heal, the context stores. Kinds inherit from it."""

    kind: ClassVar[str]
    colour: ClassVar[str]  # of its band on the plot

    @property
    def label(self) -> str:
        """What people read on the band."""
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
        """Whether something does not read while it is active, so that it is healed before what ends at the same time.

        Toxiproxy wedges when a toxic is taken off while a client does not read.
        """
        return False

    def aims(self, context: FaultContext) -> list[str]:
        """The links or processes it breaks, by name. Raises ScenarioError when there are none."""
        ...

    def inject(self, context: FaultContext) -> None: ...

    def heal(self, context: FaultContext) -> None:
        """Undo it; doing so twice, or before it was injected, is harmless."""
        ...

    def ready(self, context: FaultContext) -> bool | None:  # noqa: ARG002
        """After healing: whether the processes that it had ended answer again; None when it ended none."""
        return None

    def witness(self, context: FaultContext) -> Witness: ...
