"""A server of the local stack, for faults: a child process that is killed, frozen and restarted."""

from __future__ import annotations

import signal
from typing import Protocol

from shaketable.stack.process import Child


class Restartable(Protocol):
    """A server of the local stack, or of the target's own."""

    child: Child | None

    def start(self) -> Child: ...


class LocalServer:
    """Implements `shaketable.stack.Server`."""

    def __init__(self, server: Restartable) -> None:
        self._server = server

    def kill(self) -> None:
        """Freeze it first, so that the postmaster starts no backend between listing its children and killing them."""
        if self._server.child is not None:
            self._server.child.send_signal(signal.SIGSTOP)
            self._server.child.kill()

    def bring_back(self) -> None:
        child = self._server.child
        if child is None or child.poll() is not None:
            self._server.start()

    def pause(self) -> None:
        if self._server.child is not None:
            self._server.child.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        if self._server.child is not None:
            self._server.child.send_signal(signal.SIGCONT)

    def is_running(self) -> bool:
        child = self._server.child
        return child is not None and child.poll() is None and not child.is_frozen()
