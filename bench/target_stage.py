"""The stage of any target: the processes of its manifest on a fresh local stack, past every proxy."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from bench.stage import cpu_s, say, send
from shaketable import resources
from shaketable.evidence import durability
from shaketable.runner import bring_up
from shaketable.stack.choice import Choice
from shaketable.stack.server_options import ServerOptions
from shaketable.stack.stack import Link, Service, Stack
from shaketable.target.target import Target

#: In a run PostgreSQL logs the duration of every statement as evidence: a cost for each statement that no user has.
SERVERS = ServerOptions({"postgres": {"log_duration": "off"}})
#: Seconds between two counts, and after which a count that stays the same is final.
LOOK_S, STALLED_S = 0.1, 60.0


class DirectTarget(Target):
    """A target whose processes reach the servers without a proxy, as in production."""

    def _link(self, name: str, service: Service) -> Link:
        at = self._stack.address(service)
        return Link(name, service, at, at)


class TargetStage:
    """A target that is ready; it counts the stored events and the CPU time."""

    def __init__(self, target: Target, stack: Stack, database: psycopg.Connection[Any]) -> None:
        self._target, self._stack, self._database = target, stack, database
        intake, relation = target.intake_instance, target.manifest.stored.relation
        if intake is None or relation is None:
            sys.exit(f"bench: {target.manifest.name}: expected an intake over HTTP and stored.relation")
        self._port, self._relation = intake.port, sql.Identifier(*relation.split("."))
        self._workers = [name for name in target.instances if name != intake.name]

    @property
    def processes(self) -> str:
        """How many processes of each kind."""
        return ", ".join(f"{kind.count} {kind.name}" for kind in self._target.manifest.process)

    def servers(self) -> dict[str, dict[str, str]]:
        """The durability settings that the servers report."""
        return durability.read(self._stack)

    def load(self, events: int, salt: int) -> dict[str, Any]:
        """Send events, one a request. Exits unless every one is accepted."""
        told = send(self._port, events, salt=salt)
        if told["accepted"] != events:
            self._exit(f"accepted {told['accepted']} of {events} events")
        return told

    def stop_workers(self) -> None:
        """Stop all processes but the intake."""
        for name in reversed(self._workers):
            self._target.stop(name)

    def start_workers(self) -> None:
        """Start them again."""
        for name in self._workers:
            self._target.start(name)

    def await_stored(self, at_least: int) -> int:
        """Wait until so many rows are stored; returns the number. Exits when no more are stored."""
        rows, changed = -1, time.monotonic()
        while (now := self._count("*")) < at_least:
            if now != rows:
                rows, changed = now, time.monotonic()
            if time.monotonic() - changed > STALLED_S:
                self._exit(f"stored {now} of {at_least} events, and none for {STALLED_S:g} s")
            time.sleep(LOOK_S)
        return now

    def check_stored_once(self) -> None:
        """Exit when an event is stored twice."""
        if (rows := self._count("*")) != (ids := self._count("distinct event_id")):
            self._exit(f"stored {ids} events in {rows} rows")

    def commits(self, since: float) -> list[float]:
        """The commit time of each row since then, in UTC seconds, ascending."""
        query = (
            "select extract(epoch from pg_xact_commit_timestamp(xmin))::double precision as at from {}"
            " where pg_xact_commit_timestamp(xmin) >= to_timestamp(%s) order by at"
        )
        found = self._database.execute(sql.SQL(query).format(self._relation), [since])
        return [float(at) for (at,) in found]

    def cpu_s(self) -> float:
        """CPU seconds that the running processes of the target, PostgreSQL and Valkey have used."""
        running = [each.running for each in self._target.instances.values() if not each.asked]
        return sum(cpu_s(process) for child in (*running, *self._stack.children) for process in child.tree())

    def _count(self, what: str) -> int:
        query = sql.SQL("select count({}) from {}").format(sql.SQL(what), self._relation)
        row = self._database.execute(query).fetchone()
        return int(row[0]) if row else 0

    def _exit(self, why: str) -> None:
        sys.exit(f"bench: {self._target.manifest.name} {why}")


@contextmanager
def target_stage(named: str) -> Iterator[TargetStage]:
    """Start the servers and a target by its name or manifest, and end all of them."""
    path = resources.target(Path(named))
    with (
        bring_up.open_(path, Choice(), None, say, SERVERS, DirectTarget) as standing,
        psycopg.connect(standing.stack.owner_url(), autocommit=True) as database,
    ):
        yield TargetStage(standing.target, standing.stack, database)
