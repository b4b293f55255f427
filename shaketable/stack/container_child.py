"""A process of the target in its own container."""

from __future__ import annotations

import signal
import threading
from contextlib import suppress
from pathlib import Path

from docker.errors import DockerException

from shaketable.stack import log_bound
from shaketable.stack.engine import Box, Engine
from shaketable.stack.process import GONE_S


class ContainerChild(Box):
    """Implements `shaketable.stack.process.Running`. A thread waits for its end and then saves its log."""

    def __init__(self, engine: Engine, id_: str, name: str, log: Path) -> None:
        super().__init__(engine, id_, name)
        self._log = log
        self._code: int | None = None
        self._ended = threading.Event()
        threading.Thread(target=self._await_end, name=f"end of {name}", daemon=True).start()

    def _await_end(self) -> None:
        with suppress(DockerException, OSError):  # the engine has closed, or the container was removed: it has ended
            self._code = int(self._api.wait(self.id, timeout=None)["StatusCode"])
            with self._log.open("ab") as out:
                self._write_said(out, log_bound.MOST)
        self._ended.set()

    def poll(self) -> int | None:
        """The exit code, or None while it runs; -1 when the engine no longer knows the container."""
        if not self._ended.is_set():
            return None
        return -1 if self._code is None else self._code

    def wait(self, seconds: float) -> int | None:
        """The exit code once it has ended, or None when it has not within `seconds`."""
        self._ended.wait(seconds)
        return self.poll()

    def terminate(self, grace_s: float) -> int | None:
        """SIGTERM, and SIGKILL after the grace. Returns the exit code."""
        if self.poll() is None:
            self.resume()
            with suppress(DockerException):  # it has ended before the signal, as intended
                self._api.kill(self.id, int(signal.SIGTERM))
            self.wait(grace_s)
        self.kill()
        return self.poll()

    def kill(self) -> None:
        """SIGKILL all its processes and wait until they are gone."""
        super().kill()
        self._ended.wait(GONE_S)

    def is_frozen(self) -> bool:
        """Whether the engine has paused the container."""
        return bool(self.state()["Paused"])
