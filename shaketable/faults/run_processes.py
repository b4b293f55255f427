"""The processes that a fault of a run may break: the target's, and the services of its own that the harness started."""

from __future__ import annotations

from collections.abc import Sequence

from shaketable.errors import ScenarioError
from shaketable.faults.fault import Closeable
from shaketable.stack.local_server import LocalServer
from shaketable.stack.process import Running
from shaketable.stack.stack import CLIENTS, Stack
from shaketable.stack.wall_clock.clock import WallClock
from shaketable.target import shown_clock
from shaketable.target.target import Target

#: Seconds from SIGTERM to SIGKILL of a service.
STOP_S = 10.0


class RunProcesses:
    """`Processes` of a run. A service is named by its name in the manifest."""

    def __init__(self, target: Target, stack: Stack) -> None:
        self._target, self._stack = target, stack

    @property
    def intake(self) -> str:
        instance = self._target.intake_instance
        return instance.name if instance else CLIENTS

    def named(self, process: str | None = None) -> list[str]:
        if process is None:
            return [instance.name for instance in self._target.instances.values()]
        try:
            return [instance.name for instance in self._target.named(process)]
        except ScenarioError:
            if process in self._stack.own:
                return [process]
            raise

    def pids(self, instance: str) -> list[int]:
        child = self._child(instance)
        return [process.pid for process in child.tree()] if child and self.is_alive(instance) else []

    def left(self, instance: str) -> list[int]:
        child = self._child(instance)
        return [process.pid for process in child.tree()] if child and not self.is_alive(instance) else []

    def kill(self, instance: str) -> None:
        if (service := self._service(instance)) is not None:
            service.kill()
        else:
            self._target.kill(instance)

    def stop(self, instance: str) -> None:
        if self._service(instance) is None:
            self._target.stop(instance)
        elif (child := self._child(instance)) is not None:
            child.terminate(STOP_S)

    def start(self, instance: str) -> None:
        if (service := self._service(instance)) is not None:
            service.bring_back()
        else:
            self._target.start(instance)

    def await_ready(self, instance: str) -> bool:
        if self._service(instance) is not None:
            return self._stack.own[instance].answers()
        return self._target.becomes_ready(instance)

    def pause(self, instance: str) -> None:
        if (service := self._service(instance)) is not None:
            service.pause()
        else:
            self._target.instances[instance].running.pause()

    def resume(self, instance: str) -> None:
        child = self._child(instance)
        if child is not None and self.is_alive(instance):
            child.resume()

    def is_alive(self, instance: str) -> bool:
        child = self._child(instance)
        return child is not None and child.poll() is None

    def is_frozen(self, instance: str) -> bool:
        child = self._child(instance)
        return child is not None and self.is_alive(instance) and child.is_frozen()

    def clock(self, instance: str) -> WallClock:
        found = None if self._service(instance) is not None else self._target.instances[instance].clock
        if found is None:
            raise ScenarioError(f"the clock of {instance} cannot be moved: it was started without one of its own")
        return found

    def shown_offset_s(self, instance: str) -> float | None:
        url = None if self._service(instance) is not None else self._target.instances[instance].health_url
        return shown_clock.offset_s(url) if url else None

    def run_helper(self, name: str, command: Sequence[str]) -> Closeable:
        return self._target.run_helper(name, command)

    def _service(self, instance: str) -> LocalServer | None:
        is_service = instance not in self._target.instances and instance in self._stack.own
        return LocalServer(self._stack.own[instance]) if is_service else None

    def _child(self, instance: str) -> Running | None:
        if self._service(instance) is not None:
            return self._stack.own[instance].child
        return self._target.instances[instance].child
