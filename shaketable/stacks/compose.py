"""The stack of docker-compose.chaos.yml, while it is up: servers, proxies and target are its containers.

A run makes containers of its own for the target's processes, each after the service of its kind: the same image,
limits and network, with the run's links and settings. The services' own containers rest meanwhile. The database is made
anew and Valkey emptied: both are this stack's own. Its network names differ from the harness's view, published ports on
loopback; `launch` translates.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import redis
from psycopg import sql

from shaketable.errors import HarnessError, TargetError
from shaketable.process import INHERITED, RUN_VARIABLE, Running
from shaketable.recovery import RecoveringToxiproxy
from shaketable.stack import Address, Link, Server, Service
from shaketable.stacks import engine, postgres, proxies, valkey
from shaketable.stacks.container_child import ContainerChild
from shaketable.stacks.container_server import ContainerServer
from shaketable.stacks.engine import Box
from shaketable.stacks.host import LOOPBACK, HostStack
from shaketable.undo import Containers, Proxies

#: The compose project, as the file names it; COMPOSE_PROJECT_NAME names another.
PROJECT = "shaketable-chaos"
#: The user of the reference's image, where the harness is root and its own user is therefore none to run as.
USER = 10001
#: Where the services listen in the network.
INSIDE = {"postgres": Address("postgres", 5432), "redis": Address("valkey", 6379)}
#: What a process gets from the harness's environment on this machine, and must not in a container.
OUTSIDE = {*INHERITED, RUN_VARIABLE, "HOME", "XDG_CONFIG_HOME"}
#: Seconds that a service's own container may take to end.
STOP_S = 10


class ComposeStack(HostStack):
    """Containers that somebody has brought up; process faults act on containers."""

    def _start(self) -> None:
        self._began = time.time()
        self._engine = engine.connect(at := engine.found())
        self._open.callback(self._engine.close)
        self._services = self._find()
        self._boxes = {name: Box(self._engine, told["Id"], name) for name, told in self._services.items()}
        resting = [self._boxes[name] for name in self._services if name not in ("postgres", "valkey", "toxiproxy")
                   and self._boxes[name].state()["Running"]]  # fmt: skip
        server = self._published("toxiproxy", 8474)
        kept = tuple(self._boxes[name].id for name in ("postgres", "valkey", "toxiproxy"))
        self._supervisor.action(Containers(at, self._run_id, (*kept, *(box.id for box in resting))))
        self._supervisor.action(Proxies(server.host, server.port, f"{self._run_id}-"))
        self.toxiproxy = self._proxies(server)
        self.sink_host = self._network()["Gateway"]
        self._at = {"postgres": self._published("postgres", 5432), "redis": self._published("valkey", 6379)}
        self._inside = {str(self._at[name]): str(inside) for name, inside in INSIDE.items()}
        self._free = self._free_listens()
        self._rest(resting)
        self._empty()

    def _find(self) -> dict[str, dict[str, Any]]:
        """What `docker inspect` tells of each service's container. Raises HarnessError when the stack is not up."""
        project = os.environ.get("COMPOSE_PROJECT_NAME", PROJECT)
        found = self._engine.containers.list(
            all=True, ignore_removed=True, filters={"label": f"com.docker.compose.project={project}"}
        )
        services = {one.labels["com.docker.compose.service"]: one.attrs for one in found}
        down = [name for name in ("postgres", "valkey", "toxiproxy")
                if name not in services or not services[name]["State"]["Running"]]  # fmt: skip
        if down:
            raise HarnessError(
                f"{', '.join(down)} of the compose project {project} is not running: "
                "`make env`, then `docker compose -f docker-compose.chaos.yml up --wait`"
            )
        return services

    def _published(self, service: str, port: int) -> Address:
        """Where a port of a service is to be found on this machine."""
        told = (self._services[service]["HostConfig"]["PortBindings"] or {}).get(f"{port}/tcp")
        if not told:
            raise HarnessError(f"service {service} publishes no port {port}: expected 127.0.0.1:…:{port} under ports")
        return Address(LOOPBACK, int(told[0]["HostPort"]))

    def _network(self) -> dict[str, Any]:
        """The network that all are on."""
        return dict(next(iter(self._services["toxiproxy"]["NetworkSettings"]["Networks"].values())))

    def _proxies(self, at: Address) -> RecoveringToxiproxy:
        box = self._boxes["toxiproxy"]

        def restart() -> None:
            box.restart()
            box.await_answer(partial(proxies.answers, server))

        server = RecoveringToxiproxy(at.host, at.port, restart)
        return proxies.asserted(server, "the service toxiproxy")

    def _free_listens(self) -> list[int]:
        """Published ports of Toxiproxy that no proxy listens at yet."""
        taken = {int(proxy["listen"].rpartition(":")[2]) for proxy in self.toxiproxy.proxies().values()}
        ports = [int(name.partition("/")[0]) for name in self._services["toxiproxy"]["HostConfig"]["PortBindings"]]
        return sorted(port for port in ports if port not in taken and port != 8474)

    def _rest(self, boxes: list[Box]) -> None:
        """The services' own target must not take the run's events; it goes on when the run has ended."""
        for box in boxes:
            self._open.callback(box.start)
            self._engine.api.stop(box.id, timeout=STOP_S)
        self._open.callback(engine.remove, self._engine, self._run_id)
        self._open.callback(self._drop_links)
        self._open.callback(self.collect_logs)

    def _drop_links(self) -> None:
        for link in self.links:
            self.toxiproxy.delete(self.proxy(link))

    def _empty(self) -> None:
        """The database anew, and nothing in Valkey: what an earlier run left would be judged as this one's."""
        with psycopg.connect(self._admin("postgres"), autocommit=True) as connection:
            name = sql.Identifier(postgres.DATABASE)
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(name))
            connection.execute(sql.SQL("create database {} owner {}").format(name, sql.Identifier(postgres.ROLE)))
        with redis.Redis.from_url(self.redis_url()) as client:
            client.flushall()

    def _variable(self, service: str, name: str) -> str:
        """What a service's container has in its environment. Raises HarnessError when it has none."""
        for line in self._services[service]["Config"]["Env"]:
            key, _, value = line.partition("=")
            if key == name:
                return str(value)
        raise HarnessError(f"service {service} has no {name} in its environment")

    def _admin(self, database: str) -> str:
        password = self._variable("postgres", "POSTGRES_PASSWORD")
        return postgres.url(self._at["postgres"], postgres.ADMIN, password, "shaketable", database)

    def owner_url(self) -> str:
        """Past every link, as the database's owner (no superuser)."""
        password = self._variable("postgres", "EVENTS_PASSWORD")
        return postgres.url(self._at["postgres"], postgres.ROLE, password, "setup")

    def admin_url(self) -> str:
        """Past every link, as superuser."""
        return self._admin(postgres.DATABASE)

    def redis_url(self) -> str:
        """Past every link."""
        return f"redis://:{self._variable('valkey', 'REDISCLI_AUTH')}@{self._at['redis']}/0"

    def _server(self, service: Service) -> Server:
        if service == "redis":
            return ContainerServer(self._boxes["valkey"], lambda: valkey.answers(self.redis_url()))
        return ContainerServer(self._boxes["postgres"], lambda: postgres.answers(self._admin("postgres")))

    def add_link(self, process: str, service: Service, upstream: Address | None = None) -> Link:
        """Open a path through the proxy to a service of the stack, or to a port of one of the target's processes."""
        if not self._free:
            raise HarnessError("every port that Toxiproxy publishes is taken: publish more in docker-compose.chaos.yml")
        listen, direct = Address(LOOPBACK, self._free.pop(0)), upstream or self._at[service]
        inside = Address(self._alias(upstream.port), upstream.port) if upstream else INSIDE[service]
        link = Link(process, service, listen, inside, direct)
        self.toxiproxy.create(self.proxy(link), f"0.0.0.0:{listen.port}", str(inside))
        self._inside[str(listen)] = f"toxiproxy:{listen.port}"
        self.links.append(link)
        return link

    def _alias(self, port: int) -> str:
        """How the process that listens at this port is called in the network."""
        return f"{self._run_id}-{port}"

    def launch(self, name: str, _: Sequence[str], env: Mapping[str, str], __: Path, log: Path) -> Running:
        """Start a container after the service of its kind, by that service's own command."""
        service = self._kind(name)
        made = self._engine.api.create_container_from_config(self._configured(service, env))
        self._engine.api.start(made["Id"])
        return ContainerChild(self._engine, made["Id"], name, log)

    def _kind(self, name: str) -> dict[str, Any]:
        for service in (name, name.rpartition("-")[0]):
            if service in self._services:
                return self._services[service]
        raise TargetError(f"no service of the compose project is called as {name}: name one in the compose file")

    def _configured(self, service: Mapping[str, Any], env: Mapping[str, str]) -> dict[str, Any]:
        """The service's own configuration, with the run's environment, state folder and port."""
        state, port = env["STATE_DIR"], env.get("HTTP_PORT")
        network = next(iter(self._services["toxiproxy"]["NetworkSettings"]["Networks"]))
        published = {f"{port}/tcp": [{"HostIp": LOOPBACK, "HostPort": port}]} if port else {}
        own = dict(line.split("=", 1) for line in service["Config"]["Env"])
        own.update({name: self._translated(value) for name, value in env.items() if name not in OUTSIDE})
        return {
            **service["Config"], "Env": [f"{name}={value}" for name, value in own.items()],
            "User": _user(Path(state)), "Hostname": "", "Healthcheck": {"Test": ["NONE"]},
            "Labels": {engine.LABEL: self._run_id}, "ExposedPorts": {name: {} for name in published}, "Volumes": None,
            "HostConfig": {**service["HostConfig"], "Binds": [f"{state}:{state}"], "Mounts": None,
                           "PortBindings": published},
            "NetworkingConfig": {"EndpointsConfig": {network: {"Aliases": [self._alias(int(port))] if port else []}}},
        }  # fmt: skip

    def _translated(self, value: str) -> str:
        """A URL as it leads to the same place from within the network."""
        netloc = urlsplit(value).netloc if "://" in value else ""
        at = netloc.rpartition("@")[2]
        return value.replace(f"@{at}", f"@{self._inside[at]}", 1) if at in self._inside else value

    def collect_logs(self) -> None:
        """What the servers said since the run began, from the engine."""
        for name in ("postgres", "valkey", "toxiproxy"):
            self._boxes[name].write_log(self._logs / f"{name}.log", self._began)


def _user(state: Path) -> str:
    """Whom a process runs as, so that both it and the harness can use its state folder: never root."""
    if os.getuid() == 0:
        os.chown(state, USER, USER)
        return f"{USER}:{USER}"
    return f"{os.getuid()}:{os.getgid()}"
