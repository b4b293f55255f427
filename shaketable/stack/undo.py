"""Undo actions: they revert changes in servers that the harness did not start. Lines of the undo journal.

Every action is idempotent and bounded: the supervisor performs it in any case, also after a normal end.
"""

from __future__ import annotations

import subprocess
from contextlib import ExitStack

import msgspec

#: Timeout of an action in seconds; all actions of a run are performed concurrently.
ACTION_S = 2


#: Revert all changes that faults make in a database, as its superuser: their triggers and their setting. For a role's
#: connection limit see `role_as_it_was`.
DATABASE_AS_IT_WAS = (
    "drop schema if exists shaketable cascade",
    "alter system reset default_transaction_read_only",
    "select pg_reload_conf()",
)


#: Revert all settings that faults change in a Valkey.
VALKEY_AS_IT_WAS = (("CONFIG", "SET", "maxmemory", "0"), ("CONFIG", "SET", "maxmemory-policy", "noeviction"))


def role_as_it_was(role: str) -> str:
    """The statement that removes a role's connection limit."""
    return f'alter role "{role}" connection limit -1'


class Statements(msgspec.Struct, frozen=True, tag="statements"):
    """SQL statements for a database, each in its own transaction: drop a trigger, reset a setting."""

    url: str
    statements: tuple[str, ...]

    def perform(self) -> None:
        from shaketable import libpq

        limits = f"-c statement_timeout={ACTION_S}s -c lock_timeout={ACTION_S}s -c default_transaction_read_only=off"
        with (
            libpq.connect(self.url, connect_timeout=ACTION_S, options=limits, autocommit=True) as connection,
            libpq.time_limit(connection, ACTION_S * (len(self.statements) + 1)),
            ExitStack() as each,
        ):
            for statement in reversed(self.statements):  # run on exit: a failure does not prevent the others
                each.callback(connection.execute, statement.encode())


class Commands(msgspec.Struct, frozen=True, tag="commands"):
    """Commands for a Redis: `("CONFIG", "SET", "maxmemory", "0")`."""

    url: str
    commands: tuple[tuple[str, ...], ...]

    def perform(self) -> None:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        client = redis.Redis.from_url(
            self.url, socket_timeout=ACTION_S, socket_connect_timeout=ACTION_S, retry=Retry(NoBackoff(), 0)
        )
        with client:
            for command in self.commands:
                client.execute_command(*command)  # type: ignore[no-untyped-call]


class Proxies(msgspec.Struct, frozen=True, tag="proxies"):
    """Delete the proxies of a Toxiproxy whose names begin with `prefix`, the run's id."""

    host: str
    port: int
    prefix: str

    def perform(self) -> None:
        from shaketable.stack.toxiproxy.client import Toxiproxy

        server = Toxiproxy(self.host, self.port)
        for name in server.proxies():
            if name.startswith(self.prefix):
                server.delete(name)


class Program(msgspec.Struct, frozen=True, tag="program"):
    """A program to run: `("docker", "unpause", ID)`."""

    words: tuple[str, ...]

    def perform(self) -> None:
        subprocess.run(self.words, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=ACTION_S)


class Containers(msgspec.Struct, frozen=True, tag="containers"):
    """Remove a run's containers at the engine at `engine`, by its label, and start those in `revive` again."""

    engine: str
    run: str
    revive: tuple[str, ...] = ()

    def perform(self) -> None:
        from shaketable.stack import engine

        client = engine.connect(self.engine, 2 * ACTION_S)
        engine.remove(client, self.run)
        engine.revive(client, self.revive)


Action = Statements | Commands | Proxies | Program | Containers
