"""The part of a container engine's API that a stack needs. The engine's report is authoritative for a container."""

from __future__ import annotations

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import docker
import psutil
from docker.errors import DockerException, NotFound

from shaketable.clock import SECOND, Clock, SystemClock
from shaketable.errors import HarnessError
from shaketable.stack import log_bound
from shaketable.stack.process import START_S

#: Every container that a run starts carries the run's id under this label.
LABEL = "shaketable.run"
#: Timeout of a call in seconds.
CALL_S = 30

Engine: TypeAlias = Any  # docker.DockerClient, which has no type hints


def found() -> str:
    """The engine's URL: DOCKER_HOST, the current context, or the default socket."""
    from testcontainers.core.docker_client import get_docker_host

    return get_docker_host() or "unix:///var/run/docker.sock"


def connect(at: str, timeout_s: int | None = CALL_S) -> Engine:
    """Connect to the engine at this URL. Raises HarnessError when none answers."""
    try:
        _knock(at)
        engine = docker.DockerClient(base_url=at, timeout=timeout_s)
        engine.ping()
    except (DockerException, OSError) as e:
        raise HarnessError(
            f"no container engine answers at {at}: start one, or use `--stack local`, which needs none ({_first(e)})"
        ) from e
    return engine


def started(engine: Engine, name: str, config: dict[str, Any]) -> str:
    """Create a container from this configuration and start it; returns its id. Raises HarnessError."""
    try:
        made = str(engine.api.create_container_from_config(config)["Id"])
        engine.api.start(made)
    except (DockerException, OSError) as e:
        raise HarnessError(f"the container engine cannot start {name}: {_first(e)}") from e
    return made


def remove(engine: Engine, run_id: str) -> None:
    """Remove every container of a run with its volumes, concurrently, since the supervisor's time is short."""

    def each(container: Any) -> None:
        with suppress(NotFound):
            container.remove(force=True, v=True)

    found = engine.containers.list(all=True, ignore_removed=True, filters={"label": f"{LABEL}={run_id}"})
    with ThreadPoolExecutor(max(1, len(found))) as pool:
        list(pool.map(each, found))


def revive(engine: Engine, names: tuple[str, ...]) -> None:
    """Unpause or start each of these containers unless it is running, concurrently.

    Raises the first error once all have been attempted: one that is gone does not leave the others stopped.
    """

    def each(name: str) -> None:
        state = engine.api.inspect_container(name)["State"]
        if state["Paused"]:
            engine.api.unpause(name)
        elif not state["Running"]:
            engine.api.start(name)

    with ThreadPoolExecutor(max(1, len(names))) as pool:
        list(pool.map(each, names))


class Box:
    """One container."""

    def __init__(self, engine: Engine, id_: str, name: str) -> None:
        self._api, self.id, self.name = engine.api, id_, name

    def state(self) -> dict[str, Any]:
        """The State of `docker inspect`; a removed container is not running."""
        try:
            return dict(self._api.inspect_container(self.id)["State"])
        except NotFound:
            return {"Running": False, "Paused": False, "Pid": 0, "ExitCode": None}

    def kill(self) -> None:
        """SIGKILL all of it and wait until it is gone."""
        if self.state()["Running"]:
            with suppress(DockerException):  # it has ended before the signal, as intended
                self._api.kill(self.id)
            self._api.wait(self.id)

    def pause(self) -> None:
        """Pause the container."""
        if self.state()["Running"] and not self.state()["Paused"]:
            self._api.pause(self.id)

    def resume(self) -> None:
        """Unpause the container if it is paused."""
        if self.state()["Paused"]:
            self._api.unpause(self.id)

    def start(self) -> None:
        """Start it again."""
        self._api.start(self.id)

    def restart(self) -> None:
        """Restart it without a grace period."""
        self._api.restart(self.id, timeout=0)

    def tree(self) -> list[psutil.Process]:
        """Its processes as this machine's kernel reports them; [] when the engine is on another machine."""
        pid = self.state()["Pid"]
        try:
            top = psutil.Process(pid) if pid else None
            return [top, *top.children(recursive=True)] if top else []
        except psutil.NoSuchProcess:
            return []

    def tail(self, lines: int = 8) -> str:
        """The last lines of its log."""
        with suppress(DockerException):
            return str(self._api.logs(self.id, tail=lines).decode(errors="replace").strip())
        return ""

    def write_log(self, to: Path, since: float = 0.0) -> None:
        """Write its log since `since` (seconds since the epoch); nothing for a removed container.

        Raises UnexpectedFailure when the log is too long.
        """
        with suppress(DockerException), to.open("wb") as out:
            if not self._write_said(out, log_bound.MOST_EVIDENCE, since):
                raise log_bound.too_long(to.name)

    def _write_said(self, out: BinaryIO, most: int, since: float = 0.0) -> bool:
        """Stream at most `most` bytes of its log; returns whether the log is complete."""
        taken = 0
        for part in self._api.logs(self.id, stream=True, follow=False, since=since or None):
            if (taken := taken + len(part)) > most:
                out.write(log_bound.note(most))
                return False
            out.write(part)
        return True

    def await_answer(self, answers: Callable[[], bool], clock: Clock | None = None, within_s: float = START_S) -> None:
        """Wait until it answers. Raises HarnessError with its last log lines when it exits or does not answer."""
        clock = clock or SystemClock()
        deadline = clock.now() + int(within_s * SECOND)
        while not answers():
            state = self.state()
            if not state["Running"]:
                raise HarnessError(f"container {self.name} died with exit code {state['ExitCode']}: {self.tail(3)}")
            if clock.now() > deadline:
                raise HarnessError(f"container {self.name} does not answer after {within_s:g} s: {self.tail(3)}")
            clock.sleep(0.05)


def _knock(at: str) -> None:
    """Raise OSError when no engine listens on a socket file, where the library would leave its socket half-open."""
    if at.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as knock:
            knock.connect(at.removeprefix("unix://"))


def _first(e: BaseException) -> str:
    return str(e).splitlines()[0] if str(e) else type(e).__name__
