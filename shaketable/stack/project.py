"""A running compose project, as the engine reports its containers."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from shaketable.errors import HarnessError, TargetError
from shaketable.stack.engine import Box, Engine
from shaketable.stack.host import LOOPBACK
from shaketable.stack.stack import Address

#: The project, as docker-compose.chaos.yml names it; COMPOSE_PROJECT_NAME names another.
NAME = "shaketable-chaos"
#: The label of a run's own containers with the project's name.
LABEL = "shaketable.project"
#: The label of a container that `docker compose run` started; it is no replica of its service.
ONE_OFF = "com.docker.compose.oneoff"
#: The services that do not belong to the target.
SERVERS = ("postgres", "valkey", "toxiproxy")

Told = dict[str, Any]  # a container's description by `docker inspect`


class Project:
    """The project's services. Raises HarnessError unless its servers are running."""

    def __init__(self, engine: Engine) -> None:
        self.name = os.environ.get("COMPOSE_PROJECT_NAME", NAME)
        mine = {"label": f"com.docker.compose.project={self.name}"}
        found = engine.containers.list(all=True, ignore_removed=True, filters=mine)
        replicas = _by_service(found)
        self._check(replicas)
        self._services: dict[str, Told] = {name: (_running(each) or each)[0] for name, each in replicas.items()}
        self.boxes = {name: Box(engine, self._services[name]["Id"], name) for name in SERVERS}
        self._target = [
            Box(engine, told["Id"], name) for name, each in replicas.items() if name not in SERVERS for told in each
        ]

    def _check(self, replicas: Mapping[str, list[Told]]) -> None:
        running = {name: len(_running(replicas.get(name, []))) for name in SERVERS}
        if down := [name for name in SERVERS if not running[name]]:
            raise HarnessError(
                f"{', '.join(down)} of the compose project {self.name} is not running: "
                "`make env`, then `docker compose -f docker-compose.chaos.yml up --build --wait`"
            )
        if several := [name for name in SERVERS if running[name] > 1]:
            raise HarnessError(
                f"{', '.join(several)} of the compose project {self.name} has several containers, and a fault would "
                "break only one: expected one, so `docker compose up --scale SERVICE=1`"
            )

    def target(self) -> list[Box]:
        """The running containers of the project's own target: every replica, since each consumes events."""
        return [box for box in self._target if box.state()["Running"]]

    def published(self, service: str, port: int) -> Address:
        """The address on this machine of a service's port. Raises HarnessError when it is not published."""
        told = (self._services[service]["HostConfig"]["PortBindings"] or {}).get(f"{port}/tcp")
        if not told:
            raise HarnessError(f"service {service} publishes no port {port}: expected 127.0.0.1:…:{port} under ports")
        return Address(LOOPBACK, int(told[0]["HostPort"]))

    def ports(self, service: str) -> list[int]:
        """All published ports of a service, sorted."""
        return sorted(int(name.partition("/")[0]) for name in self._services[service]["HostConfig"]["PortBindings"])

    @property
    def network(self) -> str:
        """The name of the project's network."""
        return str(next(iter(self._services["toxiproxy"]["NetworkSettings"]["Networks"])))

    @property
    def gateway(self) -> str:
        """The address at which containers of that network reach this machine."""
        return str(self._services["toxiproxy"]["NetworkSettings"]["Networks"][self.network]["Gateway"])

    def variable(self, service: str, name: str) -> str:
        """A variable of a service's environment. Raises HarnessError when it is not set."""
        found = environment(self._services[service])
        if name not in found:
            raise HarnessError(f"service {service} has no {name} in its environment")
        return found[name]

    def kind(self, process: str) -> Told:
        """The service on which a process of the target is modelled. Raises TargetError when there is none."""
        for service in (process, process.rpartition("-")[0]):
            if service in self._services:
                return self._services[service]
        raise TargetError(f"{self.name} has no service for the process {process}: call one so in the compose file")


def _by_service(found: Iterable[Any]) -> dict[str, list[Told]]:
    """The containers of each service. Raises HarnessError for a container of `compose run` that may consume events."""
    replicas: dict[str, list[Told]] = {}
    for one in found:
        service = one.labels["com.docker.compose.service"]
        if one.labels.get(ONE_OFF) != "True":
            replicas.setdefault(service, []).append(one.attrs)
        elif service not in SERVERS and one.attrs["State"]["Running"]:
            raise HarnessError(
                f"a container of `docker compose run {service}` is running, and may consume the run's events: end it"
            )
    return replicas


def _running(containers: list[Told]) -> list[Told]:
    return [told for told in containers if told["State"]["Running"]]


@contextmanager
def held(name: str) -> Iterator[None]:
    """Lock the project for this run. Raises HarnessError when another run has it."""
    with socket.socket(socket.AF_UNIX) as lock:
        try:
            lock.bind(
                f"\0shaketable-compose-{name}"[:100].encode()
            )  # no file: all users see it, and it disappears with this process
        except OSError as e:
            raise HarnessError(f"another run uses the compose project {name}: wait until it has ended") from e
        yield


def environment(told: Told) -> dict[str, str]:
    """A container's environment."""
    return dict(line.split("=", 1) for line in told["Config"]["Env"])
