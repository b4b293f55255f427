"""A compose project that somebody has brought up, as its containers' inspection tells."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from shaketable.errors import HarnessError, TargetError
from shaketable.stack.engine import Box, Engine
from shaketable.stack.host import LOOPBACK
from shaketable.stack.stack import Address

#: The project, as docker-compose.chaos.yml names it; COMPOSE_PROJECT_NAME names another.
NAME = "shaketable-chaos"
#: What a run's own containers carry the project's name under.
LABEL = "shaketable.project"
#: The services that are no part of the target.
SERVERS = ("postgres", "valkey", "toxiproxy")

Told = dict[str, Any]  # as `docker inspect` tells of a container


class Project:
    """The project's services. Raises HarnessError when it is not up."""

    def __init__(self, engine: Engine) -> None:
        self.name = os.environ.get("COMPOSE_PROJECT_NAME", NAME)
        mine = {"label": f"com.docker.compose.project={self.name}"}
        found = engine.containers.list(all=True, ignore_removed=True, filters=mine)
        self._services: dict[str, Told] = {one.labels["com.docker.compose.service"]: one.attrs for one in found}
        self.boxes = {name: Box(engine, told["Id"], name) for name, told in self._services.items()}
        if down := [name for name in SERVERS if name not in self.boxes or not self.boxes[name].state()["Running"]]:
            raise HarnessError(
                f"{', '.join(down)} of the compose project {self.name} is not running: "
                "`make env`, then `docker compose -f docker-compose.chaos.yml up --build --wait`"
            )

    def target(self) -> list[Box]:
        """The containers of the services' own target that run."""
        return [box for name, box in self.boxes.items() if name not in SERVERS and box.state()["Running"]]

    def published(self, service: str, port: int) -> Address:
        """Where a port of a service is to be found on this machine. Raises HarnessError when it is not."""
        told = (self._services[service]["HostConfig"]["PortBindings"] or {}).get(f"{port}/tcp")
        if not told:
            raise HarnessError(f"service {service} publishes no port {port}: expected 127.0.0.1:…:{port} under ports")
        return Address(LOOPBACK, int(told[0]["HostPort"]))

    def ports(self, service: str) -> list[int]:
        """Every port that a service publishes, in order."""
        return sorted(int(name.partition("/")[0]) for name in self._services[service]["HostConfig"]["PortBindings"])

    @property
    def network(self) -> str:
        """The name of the network that all are on."""
        return str(next(iter(self._services["toxiproxy"]["NetworkSettings"]["Networks"])))

    @property
    def gateway(self) -> str:
        """Where containers of that network reach this machine."""
        return str(self._services["toxiproxy"]["NetworkSettings"]["Networks"][self.network]["Gateway"])

    def variable(self, service: str, name: str) -> str:
        """What a service has in its environment. Raises HarnessError when it has none of that name."""
        found = environment(self._services[service])
        if name not in found:
            raise HarnessError(f"service {service} has no {name} in its environment")
        return found[name]

    def kind(self, process: str) -> Told:
        """The service after which a process of the target is made. Raises TargetError when there is none."""
        for service in (process, process.rpartition("-")[0]):
            if service in self._services:
                return self._services[service]
        raise TargetError(f"{self.name} has no service for the process {process}: call one so in the compose file")


@contextmanager
def held(name: str) -> Iterator[None]:
    """Be the only run on a project. Raises HarnessError when another is."""
    with socket.socket(socket.AF_UNIX) as lock:
        try:
            lock.bind(f"\0shaketable-compose-{name}"[:100].encode())  # no file: all users see it, and it ends with us
        except OSError as e:
            raise HarnessError(f"another run stands on the compose project {name}: wait until it has ended") from e
        yield


def environment(told: Told) -> dict[str, str]:
    """A container's environment."""
    return dict(line.split("=", 1) for line in told["Config"]["Env"])
