"""The stack of docker-compose.chaos.yml, while it is up: servers, proxies and target are its containers.

A run creates its own containers for the target's processes, modelled on the service of their kind: the same image,
limits and network, with the run's links and settings. The services' own containers are stopped during the run. The
database is recreated and Valkey emptied: both belong to this stack. Its network names differ from the harness's view
(published ports on loopback); `launch` translates.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import redis
from psycopg import sql

from shaketable import libpq
from shaketable.errors import HarnessError, InputError
from shaketable.stack import engine, postgres, project, valkey
from shaketable.stack.container_child import ContainerChild
from shaketable.stack.container_server import ContainerServer
from shaketable.stack.engine import Box
from shaketable.stack.host import LOOPBACK, HostStack
from shaketable.stack.process import INHERITED, RUN_VARIABLE, Running
from shaketable.stack.project import SERVERS, Project, Told, environment, held
from shaketable.stack.stack import OWN_NAME, Address, Link, Server, Service
from shaketable.stack.toxiproxy import server as proxies
from shaketable.stack.toxiproxy.repair import RepairingToxiproxy
from shaketable.stack.undo import (
    DATABASE_AS_IT_WAS,
    VALKEY_AS_IT_WAS,
    Commands,
    Containers,
    Proxies,
    Statements,
    role_as_it_was,
)

#: The user of the reference's image; used when the harness is root, since processes must not run as root.
USER = 10001
#: The services' addresses in the network.
INSIDE = {"postgres": Address("postgres", 5432), "redis": Address("valkey", 6379)}
#: Variables that a process inherits on this machine, but must not inherit in a container.
OUTSIDE = {*INHERITED, RUN_VARIABLE, "HOME", "XDG_CONFIG_HOME"}
#: Seconds that a service's own container may take to stop.
STOP_S = 10


class ComposeStack(HostStack):
    """Containers of a running compose project; process faults act on containers."""

    def _start(self) -> None:
        if self.needs.services or self.needs.outbound or self.needs.commands:
            raise InputError(
                "--stack compose has only the services of its compose file: it starts no [[service]], no receiver "
                "([outbound]) and no command that reads events; use --stack local"
            )
        self._began = time.time()
        self._engine = engine.connect(at := engine.found())
        self._open.callback(self._engine.close)
        self._project = up = Project(self._engine)
        self._open.enter_context(held(up.name))
        resting, server = up.target(), up.published("toxiproxy", 8474)
        kept = tuple(box.id for box in [*(up.boxes[name] for name in SERVERS), *resting])
        self._supervisor.action(Containers(at, self._run_id, kept))
        self._supervisor.action(Proxies(server.host, server.port, f"{self._run_id}-"))
        self.toxiproxy = self._proxies(server)
        self.sink_host = up.gateway
        self._at = {"postgres": up.published("postgres", 5432), "redis": up.published("valkey", 6379)}
        self._supervisor.action(Statements(self.admin_url(), (*DATABASE_AS_IT_WAS, role_as_it_was(postgres.ROLE))))
        self._supervisor.action(Commands(self.redis_url(), VALKEY_AS_IT_WAS))
        self._inside = {str(self._at[name]): str(inside) for name, inside in INSIDE.items()}
        taken = {int(proxy["listen"].rpartition(":")[2]) for proxy in self.toxiproxy.proxies().values()}
        self._free = [port for port in up.ports("toxiproxy") if port not in taken and port != 8474]
        self._rest(resting)
        self._empty()

    def _proxies(self, at: Address) -> RepairingToxiproxy:
        box = self._project.boxes["toxiproxy"]

        def restart() -> None:
            box.restart()
            box.await_answer(partial(proxies.answers, server))

        server = RepairingToxiproxy(at.host, at.port, restart)
        return proxies.asserted(server, "the service toxiproxy")

    def _rest(self, boxes: list[Box]) -> None:
        """Stop the services' own target, which must not consume the run's events; it starts again after the run."""
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
        """Recreate the database and empty Valkey: remains of an earlier run would be judged as this run's."""
        with libpq.connect(self._admin("postgres"), autocommit=True) as connection:
            name = sql.Identifier(postgres.DATABASE)
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(name))
            connection.execute(sql.SQL("create database {} owner {}").format(name, sql.Identifier(postgres.ROLE)))
        with redis.Redis.from_url(self.redis_url()) as client:
            client.flushall()

    def _admin(self, database: str) -> str:
        password = self._project.variable("postgres", "POSTGRES_PASSWORD")
        return postgres.url(self._at["postgres"], postgres.ADMIN, password, OWN_NAME, database)

    def owner_url(self) -> str:
        """Direct, without a link, as the database's owner (not a superuser)."""
        password = self._project.variable("postgres", "EVENTS_PASSWORD")
        return postgres.url(self._at["postgres"], postgres.ROLE, password, "setup")

    def admin_url(self) -> str:
        """Direct, without a link, as superuser."""
        return self._admin(postgres.DATABASE)

    def redis_url(self) -> str:
        """Direct, without a link."""
        return f"redis://:{self._project.variable('valkey', 'REDISCLI_AUTH')}@{self._at['redis']}/0"

    def _server(self, service: Service) -> Server:
        if service == "redis":
            return ContainerServer(self._project.boxes["valkey"], lambda: valkey.answers(self.redis_url()))
        return ContainerServer(self._project.boxes["postgres"], lambda: postgres.answers(self._admin("postgres")))

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
        """The name in the network of the process that listens on this port."""
        return f"{self._run_id}-{port}"

    def launch(self, name: str, _: Sequence[str], env: Mapping[str, str], __: Path, log: Path) -> Running:
        """Start a container modelled on the service of its kind, with that service's command."""
        asked = self._configured(self._project.kind(name), env)
        return ContainerChild(self._engine, engine.started(self._engine, name, asked), name, log)

    def _configured(self, service: Told, env: Mapping[str, str]) -> Told:
        """The service's own configuration, with the run's environment, state folder and port."""
        state, port = env["STATE_DIR"], env.get("HTTP_PORT")
        published = {f"{port}/tcp": [{"HostIp": LOOPBACK, "HostPort": port}]} if port else {}
        given = {name: self._translated(value) for name, value in env.items() if name not in OUTSIDE}
        aliases = [self._alias(int(port))] if port else []
        return {
            **service["Config"],
            "Env": [f"{name}={value}" for name, value in {**environment(service), **given}.items()],
            "User": _user(Path(state)),
            "Hostname": "",
            "Healthcheck": {"Test": ["NONE"]},
            "Labels": {engine.LABEL: self._run_id, project.LABEL: self._project.name},
            "ExposedPorts": {name: {} for name in published},
            "Volumes": None,
            "HostConfig": {
                **service["HostConfig"],
                "Binds": [f"{state}:{state}"],
                "Mounts": None,
                "VolumesFrom": None,
                "PortBindings": published,
                "RestartPolicy": {"Name": "no"},  # the harness starts it again, after it has counted the end
                "AutoRemove": False,  # its exit code and its log are read afterwards
            },
            "NetworkingConfig": {"EndpointsConfig": {self._project.network: {"Aliases": aliases}}},
        }

    def _translated(self, value: str) -> str:
        """Translate a URL to the same address as seen from within the network."""
        netloc = urlsplit(value).netloc if "://" in value else ""
        at = netloc.rpartition("@")[2]
        return value.replace(f"@{at}", f"@{self._inside[at]}", 1) if at in self._inside else value

    def collect_logs(self) -> None:
        """Fetch the servers' logs since the start of the run from the engine."""
        for name in SERVERS:
            self._project.boxes[name].write_log(self._logs / f"{name}.log", self._began)


def _user(state: Path) -> str:
    """The user of a process, never root; both it and the harness can use its state folder."""
    if os.getuid() == 0:
        os.chown(state, USER, USER)
        return f"{USER}:{USER}"
    return f"{os.getuid()}:{os.getgid()}"
