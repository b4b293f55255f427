"""Undo actions: they revert changes in servers that the harness did not start. Lines of the undo journal.

Every action is idempotent and bounded: the supervisor performs it in any case, also after a normal end.
"""

from __future__ import annotations

import math
import subprocess
import threading
from collections.abc import Sequence
from contextlib import ExitStack

import msgspec

from shaketable.stack import own_schema

#: Timeout of an action in seconds.
ACTION_S = 2
#: Seconds within which actions are performed, concurrently and repeatedly.
WITHIN_S = 2.0 * ACTION_S
#: Seconds within which a container engine removes a run's containers and starts others. On a busy machine that takes
#: longer than `WITHIN_S`, and containers that were not started again would stay stopped.
ENGINE_S = 30.0
#: Seconds between two attempts at an action.
AGAIN_S = 0.25
#: Seconds between two looks at whether all actions are done.
LOOK_S = 0.05

#: Revert all changes that faults make in a database, as its superuser: their triggers and their setting. For a role's
#: connection limit see `role_as_it_was`.
DATABASE_AS_IT_WAS = (
    own_schema.DROP,
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
    """Remove a run's containers at the engine at `engine`, by its label, and start those in `revive` again.

    It is performed before all others, which may need its servers.
    """

    engine: str
    run: str
    revive: tuple[str, ...] = ()

    def perform(self) -> None:
        from shaketable.stack import engine

        client = engine.connect(self.engine, int(ENGINE_S / 2))
        with ExitStack() as each:  # revived on exit: a container that cannot be removed does not prevent it
            each.callback(client.close)
            each.callback(engine.revive, client, self.revive)
            engine.remove(client, self.run)


Action = Statements | Commands | Proxies | Program | Containers


def perform(actions: Sequence[Action]) -> list[str]:
    """Perform all actions, those on containers first; returns an error for each, '' for none."""
    failures = [""] * len(actions)
    engines = [number for number, action in enumerate(actions) if isinstance(action, Containers)]
    others = [number for number in range(len(actions)) if number not in engines]
    for numbers, within_s in ((engines, ENGINE_S), (others, WITHIN_S)):
        for number, why in zip(numbers, _perform([actions[n] for n in numbers], within_s), strict=True):
            failures[number] = why
    return failures


def _perform(actions: list[Action], within_s: float) -> list[str]:
    """Perform these actions concurrently, since a server that does not answer must not delay others.

    A failed action is retried while there is time: another action may be resuming its server. Time is counted in looks
    and attempts, since a starved machine delays the actions as well.
    """
    tries, over = max(1, round(within_s / AGAIN_S)), threading.Event()
    failures = [f"not within {within_s:g} s"] * len(actions)

    def attempt(number: int) -> None:
        for left in reversed(range(tries)):
            try:
                actions[number].perform()
                failures[number] = ""
                return
            except Exception as e:  # a failing server must not prevent the others from being healed
                failures[number] = f"{type(e).__name__}: {e}"
            if not left or over.wait(AGAIN_S):
                return

    threads = [threading.Thread(target=attempt, args=(number,), daemon=True) for number in range(len(actions))]
    for thread in threads:
        thread.start()
    for _ in range(math.ceil(within_s / LOOK_S)):
        if waiting := [thread for thread in threads if thread.is_alive()]:
            waiting[0].join(LOOK_S)
    over.set()
    return failures.copy()  # an action that ends late counts as failed and is repeated
