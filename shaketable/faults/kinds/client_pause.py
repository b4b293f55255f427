"""The queue's server answers nobody for a while, as during a failover or a slow command."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from shaketable.faults.fault import FaultContext, Witness
from shaketable.faults.kinds import valkey
from shaketable.faults.kinds.repeat import renew

#: One pause, in ms, and the seconds after which it is renewed: a running one cannot be ended, so it must be short.
PAUSE_MS = 1000
AGAIN_S = 0.5
#: Milliseconds that a command must wait to count as paused; without a pause 1 is long.
SEEN_MS = 50


@dataclass(frozen=True)
class ClientPause(valkey.ValkeyFault):
    """CLIENT PAUSE, renewed: connections stay open, commands wait, for a second at least. Healing takes as long.

    Between two pauses waiting commands are answered at once, so a command waits for a second at most; to silence the
    server altogether, break its link.
    """

    kind: ClassVar[str] = "client_pause"
    colour: ClassVar[str] = "#3070a0"

    @property
    def label(self) -> str:
        return "redis pauses its clients"

    def inject(self, context: FaultContext) -> None:
        context.scratch[f"{self.kind}.waited_ms"] = 0.0
        context.keep_open(self.kind, renew(self.kind, partial(self._pause, context), AGAIN_S))

    def heal(self, context: FaultContext) -> None:
        context.release(self.kind)
        with valkey.admin(context) as client:
            client.ping()  # is answered when the last pause is over

    def witness(self, context: FaultContext) -> Witness:
        """How long a command of the harness's own waited for its answer since the injection, at most."""
        waited = context.scratch.get(f"{self.kind}.waited_ms", 0.0)
        return Witness(waited >= SEEN_MS, waited, "ms waited", f"a command waited {waited:.0f} ms")

    def _pause(self, context: FaultContext) -> None:
        """The next pause. It waits for the one that still runs."""
        began = time.monotonic()
        with valkey.admin(context) as client:
            client.execute_command("CLIENT", "PAUSE", str(PAUSE_MS), "ALL")  # type: ignore[no-untyped-call]
        key, waited = f"{self.kind}.waited_ms", (time.monotonic() - began) * 1000
        context.scratch[key] = max(context.scratch[key], waited)
