"""A target's sender in a process of its own, as the load uses it."""

from __future__ import annotations

import base64
import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

import msgspec

from shaketable.load.reply import Reply
from shaketable.target.bounded_http import BoundedResponse, NoResponse

#: Seconds beyond a sender's own timeout, in which its process starts and answers.
MARGIN_S = 10.0
#: Seconds that a process which failed may take to say why, and to end.
ENDS_S = 1.0


class SenderProcess:
    """Sends one event after the other; its process starts with the first one, and anew after one that failed."""

    def __init__(
        self, place: str, env: Mapping[str, str], home: Path, timeout_s: float, *, batch: bool = False
    ) -> None:
        size = "batch" if batch else "single"
        self._command = [sys.executable, "-P", "-m", "shaketable.load.send_one", place, size, str(timeout_s)]
        self._env, self._home, self._timeout_s = dict(env), home, timeout_s
        self._child: subprocess.Popen[bytes] | None = None
        self._one = threading.Lock()

    def send(self, event_id: str, body: bytes) -> BoundedResponse:
        """The response that stands for the sender's outcome. Raises NoResponse with the failure."""
        with self._one:
            reply = self._asked(event_id, body)
        if reply.status is None:
            failure = f"{reply.error}{f' ({reply.at})' if reply.at else ''}" if reply.error else "indeterminate"
            raise NoResponse(reply.fatal or failure)
        return BoundedResponse(reply.status, {}, b"")

    def _asked(self, event_id: str, body: bytes) -> Reply:
        child = self._running()
        assert child.stdin is not None
        assert child.stdout is not None
        line = msgspec.json.encode({"id": event_id, "body": base64.b64encode(body).decode()}) + b"\n"
        deadline = time.monotonic() + 2 * self._timeout_s + MARGIN_S
        try:
            _write(child.stdin, line, deadline)
            if answer := child.stdout.readline() if _ready(child.stdout, selectors.EVENT_READ, deadline) else b"":
                return msgspec.json.decode(answer, type=Reply)
        except (OSError, msgspec.MsgspecError):
            pass  # it has ended, or does not read, or writes something else: it is started anew
        with suppress(subprocess.TimeoutExpired):
            child.wait(ENDS_S)  # one that ends by itself says why in its log
        self.close()
        lines = (self._home / "sender.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise NoResponse(lines[-1].removeprefix("locust: ") if lines else "its process does not answer")

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            with (self._home / "sender.log").open("wb") as log:
                self._child = subprocess.Popen(
                    self._command, env=self._env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, bufsize=0
                )
            assert self._child.stdin is not None
            os.set_blocking(self._child.stdin.fileno(), False)
        return self._child

    def close(self) -> None:
        """End the process."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            for pipe in filter(None, (child.stdin, child.stdout)):
                pipe.close()  # its end is not awaited: a process that the sender started may hold the other side
            child.wait()


def _write(pipe: IO[bytes], data: bytes, deadline: float) -> None:
    """Write all of it. Raises TimeoutError when the reader does not take it in time, or BrokenPipeError."""
    while data:
        if not _ready(pipe, selectors.EVENT_WRITE, deadline):
            raise TimeoutError
        data = data[pipe.write(data) or 0 :]


def _ready(pipe: IO[bytes], what: int, deadline: float) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, what)
        return bool(selector.select(max(0, deadline - time.monotonic())))
