"""A stack that a test may break: not the session's, and a target of which faults ask only names."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import psycopg
import redis

from shaketable.errors import ScenarioError
from shaketable.faults.context import RunContext
from shaketable.op import Op
from shaketable.stack import ports
from shaketable.stack.choice import Choice
from shaketable.stack.local import LocalStack
from shaketable.stack.server_options import ServerOptions
from shaketable.stack.supervisor import Supervisor
from shaketable.target.target import Target


class Aimed:
    """What faults ask of a target: the relation, and which processes a name means."""

    class manifest:  # noqa: N801
        name, store, queue_service = "tested", "postgres", "redis"

        class stored:  # noqa: N801
            relation: str | None = "kept"

    def __init__(self) -> None:
        self.instances = {name: type("Instance", (), {"name": name}) for name in ("worker-1", "worker-2")}

    def named(self, name: str) -> list[object]:
        found = [one for n, one in self.instances.items() if n.startswith(name)]
        if not found:
            raise ScenarioError(f"no process {name}")
        return list(found)


@contextmanager
def started(logs: Path, options: ServerOptions = ServerOptions()) -> Iterator[LocalStack]:
    """A stack with links for two workers."""
    run_id = f"test-{secrets.token_hex(4)}"
    supervisor = Supervisor(run_id)
    try:
        with ports.reserve() as block, Choice().open(run_id, block, supervisor, logs, print, options) as opened:
            stack = cast(LocalStack, opened)
            for worker in ("worker-1", "worker-2"):
                stack.add_link(worker, "postgres")
                stack.add_link(worker, "redis")
            with psycopg.connect(stack.owner_url()) as owner:
                owner.execute("create table kept (id int primary key)")
            yield stack
    finally:
        supervisor.close()


@contextmanager
def benched(stack: LocalStack) -> Iterator[RunContext]:
    """A context on it; what a test left in the stores goes."""
    with RunContext(stack, cast(Target, Aimed()), lambda _: None, list) as context:
        yield context
    with psycopg.connect(stack.owner_url()) as owner:
        owner.execute("set lock_timeout = 5000")
        owner.execute("truncate kept")
    redis.Redis.from_url(stack.redis_url()).flushall()


class Sessions:
    """Opens sessions as the target does, through its links; closes them all at the end."""

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack
        self._opened: list[psycopg.Connection[tuple[object, ...]]] = []

    def __call__(self, process: str = "worker-1") -> psycopg.Connection[tuple[object, ...]]:
        link = next(ln for ln in self._stack.links if (ln.process, ln.service) == (process, "postgres"))
        self._opened.append(psycopg.connect(self._stack.database_url(link, f"{process}.1"), connect_timeout=30))
        return self._opened[-1]

    def close(self) -> None:
        while self._opened:
            self._opened.pop().close()


def ignore(_: Op) -> None:
    """Where nobody reads what is recorded."""


def written(connection: psycopg.Connection[tuple[object, ...]], number: int) -> str:
    """Store one row in a transaction; its SQLSTATE, or "stored"."""
    try:
        with connection.transaction():
            connection.execute("insert into kept values (%s)", [number])
    except psycopg.Error as e:
        return e.sqlstate or "lost"
    return "stored"
