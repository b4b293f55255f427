"""One process of the target, from one incarnation to the next."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from shaketable.errors import TargetError
from shaketable.stack.process import Running
from shaketable.stack.stack import Link
from shaketable.stack.wall_clock.clock import WallClock
from shaketable.target.manifest import Process


class Instance:
    """One process of the target; its links, port and clock stay the same across incarnations."""

    def __init__(
        self,
        name: str,
        kind: Process,
        port: int,
        links: Mapping[str, Link],
        state: Path,
        clock: WallClock | None = None,
    ) -> None:
        self.name, self.kind, self.port, self.state = name, kind, port, state
        self.links, self.clock = links, clock  # links by service
        self.incarnation = 0
        self.starts: list[int] = []  # monotonic ns of each incarnation
        self.child: Running | None = None
        self.asked = False  # the harness ended this incarnation
        self.restarted_unasked = False

    @property
    def running(self) -> Running:
        """The current incarnation. Raises TargetError when none runs."""
        if self.child is None or self.child.poll() is not None:
            raise TargetError(f"{self.name} is not running, so nothing can be done to it")
        return self.child

    @property
    def health_url(self) -> str | None:
        """The URL of its health, on its own port, without a link."""
        return f"http://127.0.0.1:{self.port}{self.kind.health}" if self.kind.health else None
