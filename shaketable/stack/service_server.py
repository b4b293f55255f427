"""A service of the target's own, started by the harness as a child process."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path

from shaketable.clock import Clock, SystemClock
from shaketable.errors import HarnessError
from shaketable.stack.probe import exchange
from shaketable.stack.process import Child, Spawn, await_answer, environment
from shaketable.stack.service import Service, filled
from shaketable.stack.stack import Address

#: Seconds of one attempt to reach it while it starts.
ASK_S = 1.0


class ServiceServer:
    """A service at `port`, with its data in `folder`; `start` may be called again after a crash."""

    def __init__(self, service: Service, folder: Path, cwd: Path, port: int, log: Path, spawn: Spawn) -> None:
        self.service, self._folder, self._cwd, self._log, self._spawn = service, folder, cwd, log, spawn
        self.address = Address("127.0.0.1", port)
        self.password = f"s{secrets.token_hex(16)}"  # a letter first, for parsers of configurations
        self.child: Child | None = None

    @property
    def _values(self) -> dict[str, object]:
        return {
            "host": self.address.host,
            "port": self.address.port,
            "data": self._folder,
            "password": self.password,
        }

    @property
    def command(self) -> Sequence[str]:
        """The command with its placeholders filled in."""
        return [filled(word, self._values) for word in self.service.command]

    def start(self, clock: Clock | None = None) -> Child:
        """Start it and wait until it answers. Raises HarnessError with its last log lines when it does not."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        env = environment(self._folder, **{name.upper(): str(value) for name, value in self._values.items()})
        try:
            self.child = self._spawn(self.service.name, self.command, env=env, cwd=self._cwd, log=self._log)
            await_answer(self.child, self.answers, clock or SystemClock(), self.service.ready_s)
        except HarnessError as e:
            raise HarnessError(
                f"{e}: correct the command, probe or ready_s of [[service]] {self.service.name!r}"
            ) from e
        return self.child

    def stop(self) -> None:
        """Kill it: its data are not needed."""
        if self.child is not None:
            self.child.kill()

    def answers(self) -> bool:
        """Whether it answers its probe; without a probe, whether it accepts connections."""
        return reachable(self.service, self.address)


def reachable(service: Service, at: Address) -> bool:
    """Whether a service answers its probe at an address; without a probe, whether it accepts connections."""
    return exchange(at, service.probe, ASK_S) in (("answered",) if service.probe else ("answered", "open"))
