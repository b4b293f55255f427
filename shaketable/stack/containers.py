"""The stack in containers: the official images of Postgres, Valkey and Toxiproxy, started by testcontainers.

All three use the host's network and listen only on loopback. The proxies therefore reach the target's intake and the
harness's sinks, a refused connection is refused (a published port would accept and close it), and no port is published
on any other interface.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from docker.errors import DockerException, NotFound
from testcontainers.core.container import DockerContainer

from shaketable.errors import HarnessError
from shaketable.stack import engine, postgres, valkey
from shaketable.stack.container_server import ContainerServer
from shaketable.stack.engine import Box
from shaketable.stack.host import LOOPBACK, HostStack
from shaketable.stack.stack import OWN_NAME, Address, Server, Service
from shaketable.stack.toxiproxy import build
from shaketable.stack.toxiproxy import server as proxies
from shaketable.stack.toxiproxy.repair import RepairingToxiproxy
from shaketable.stack.undo import Containers

POSTGRES, VALKEY = "postgres:18", "valkey/valkey:9"
TOXIPROXY = f"ghcr.io/shopify/toxiproxy:{build.VERSION}"


class ContainersStack(HostStack):
    """Containers for this run only; the target runs on this machine."""

    def _start(self) -> None:
        self._engine = engine.connect(at := engine.found())
        self._open.callback(self._engine.close)
        self._supervisor.action(Containers(at, self._run_id))
        self._password, self._admin_password, self._redis_password = (secrets.token_urlsafe(18) for _ in range(3))
        self._at = {name: Address(LOOPBACK, self.take_port()) for name in ("postgres", "redis", "toxiproxy")}
        self._boxes: dict[str, Box] = {}
        if "postgres" in self.needs.built_in:
            self._start_postgres()
        if "redis" in self.needs.built_in:
            self._start_valkey()
        self.toxiproxy = self._start_toxiproxy()
        for name, box in self._boxes.items():
            box.await_answer(self._answers[name])
        proxies.asserted(self.toxiproxy, TOXIPROXY)
        if "postgres" in self.needs.built_in:
            postgres.create_database(self._admin(postgres.ADMIN), self._password)
        self._open.callback(self.collect_logs)

    def _start_postgres(self) -> None:
        settings = {**postgres.SETTINGS, "port": str(self._at["postgres"].port)}
        del settings["unix_socket_directories"]  # the image uses one during its first start
        command = ["postgres", *(word for name, value in settings.items() for word in ("-c", f"{name}={value}"))]
        self._run("postgres", POSTGRES, command, POSTGRES_PASSWORD=self._admin_password)

    def _start_valkey(self) -> None:
        file = valkey.configuration(self._at["redis"].port, self._redis_password).encode()
        self._run("redis", VALKEY, ["valkey-server", "/etc/valkey.conf"], copy=(file, "/etc/valkey.conf"))

    def _start_toxiproxy(self) -> RepairingToxiproxy:
        at = self._at["toxiproxy"]
        box = self._run("toxiproxy", TOXIPROXY, [f"-host={at.host}", f"-port={at.port}"], LOG_LEVEL="warn")

        def restart() -> None:
            box.restart()
            box.await_answer(self._answers["toxiproxy"])

        return RepairingToxiproxy(at.host, at.port, restart)

    def _run(
        self, name: str, image: str, command: Sequence[str], copy: tuple[bytes, str] | None = None, **env: str
    ) -> Box:
        """Start a container that ends with the run. Raises HarnessError when the engine does not start it."""
        container = DockerContainer(image).with_command(list(command)).with_envs(**env)
        container.with_kwargs(network_mode="host", labels={engine.LABEL: self._run_id})
        if copy is not None:
            container.with_copy_into_container(*copy)
        self._open.callback(_end, container)
        try:
            container.start()
        except DockerException as e:
            raise HarnessError(f"the engine does not start {image}: {e}") from e
        self._boxes[name] = Box(self._engine, container.get_container_id(), name)
        return self._boxes[name]

    @property
    def _answers(self) -> dict[str, Callable[[], bool]]:
        return {
            "postgres": lambda: postgres.answers(self._admin(postgres.ADMIN)),
            "redis": lambda: valkey.answers(self.redis_url()),
            "toxiproxy": partial(proxies.answers, self.toxiproxy),
        }

    def _admin(self, database: str) -> str:
        return postgres.url(self._at["postgres"], postgres.ADMIN, self._admin_password, OWN_NAME, database)

    def owner_url(self) -> str:
        """Direct, as the database's owner (not a superuser)."""
        return postgres.url(self._at["postgres"], postgres.ROLE, self._password, "setup")

    def admin_url(self) -> str:
        """Direct, as superuser."""
        return self._admin(postgres.DATABASE)

    def redis_url(self) -> str:
        """Direct."""
        return f"redis://:{self._redis_password}@{self._at['redis']}/0"

    def _server(self, service: Service) -> Server:
        return ContainerServer(self._boxes[service], self._answers[service])

    def collect_logs(self) -> None:
        """Fetch the servers' logs from the engine."""
        for name, box in self._boxes.items():
            box.write_log(self._logs / f"{'valkey' if name == 'redis' else name}.log")


def _end(container: DockerContainer) -> None:
    with suppress(NotFound):  # it was removed already, as intended
        container.stop()
