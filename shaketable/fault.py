"""A fault: something that goes wrong on purpose, how it is healed, and the evidence that it landed."""

from __future__ import annotations

from typing import ClassVar, Protocol

import msgspec

from shaketable.stack import Link, Service
from shaketable.toxiproxy import Toxiproxy


class Witness(msgspec.Struct, frozen=True):
    """Measured evidence that a fault landed, or that it did not."""

    landed: bool
    figure: float
    unit: str
    text: str


class Bench(Protocol):
    """What a fault may touch: the links, processes and sinks of this run, and nothing else."""

    @property
    def toxiproxy(self) -> Toxiproxy: ...

    @property
    def admin_url(self) -> str:
        """Postgres, direct, as superuser."""
        ...

    @property
    def relation(self) -> str:
        """Where the target stores events. Raises ScenarioError when its manifest does not say."""
        ...

    def event_ids(self) -> list[str]:
        """The ids of all well-formed events that are scheduled."""
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

    def instances(self, process: str) -> list[str]:
        """The target's processes of that name or kind. Raises ScenarioError for none."""
        ...

    def kill(self, instance: str) -> None: ...
    def start(self, instance: str) -> None: ...
    def is_alive(self, instance: str) -> bool: ...


class Fault(Protocol):
    """A frozen value; what it needs to remember, the bench remembers."""

    kind: ClassVar[str]
    colour: ClassVar[str]  # of its band on the plot

    @property
    def label(self) -> str:
        """What people read on the band."""
        ...

    @property
    def blocks_store(self) -> bool:
        """Whether nothing at all can be stored while it is active."""
        ...

    @property
    def blocks_intake(self) -> bool:
        """Whether the intake is expected to suffer while it is active."""
        ...

    def aims(self, bench: Bench) -> list[str]:
        """The links or processes it breaks, by name. Raises ScenarioError when there are none."""
        ...

    def inject(self, bench: Bench) -> None: ...

    def heal(self, bench: Bench) -> None:
        """Undo it; doing so twice, or before it was injected, is harmless."""
        ...

    def witness(self, bench: Bench) -> Witness: ...
