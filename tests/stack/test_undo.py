"""Undo actions: each can be repeated, and a busy container engine has the time that it needs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
import redis

from shaketable.stack import engine, supervisor, undo
from shaketable.stack.undo import VALKEY_AS_IT_WAS, Action, Commands, Containers, Program, Statements, role_as_it_was
from tests.conftest import Servers


class SlowEngine:
    """A container engine on a busy machine: each start takes a while, and one container cannot be removed."""

    def __init__(self, start_s: float) -> None:
        self._start_s, self.running = start_s, set[str]()
        self.api = self.containers = self

    def list(self, **_: Any) -> list[SlowEngine]:
        return [self]

    def remove(self, **_: Any) -> None:
        if not self.running:
            raise OSError("removal is in progress")

    def inspect_container(self, name: str) -> dict[str, dict[str, bool]]:
        return {"State": {"Paused": False, "Running": name in self.running}}

    def start(self, name: str) -> None:
        time.sleep(self._start_s)
        self.running.add(name)

    def close(self) -> None:
        pass


def test_engine_has_more_time_than_other_actions_and_is_asked_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = SlowEngine(0.5)
    monkeypatch.setattr(undo, "WITHIN_S", 0.4)
    monkeypatch.setattr(engine, "connect", lambda *_: busy)
    monkeypatch.setattr(Program, "perform", lambda _: [busy.inspect_container("postgres")["State"]["Running"] or 1 / 0])
    journal = tmp_path / "busy.jsonl"
    revived = Containers("unix:///busy.sock", "run", ("postgres", "ingest", "worker"))
    actions: list[Action] = [Program(("psql",)), revived]
    journal.write_bytes(
        b"".join(
            msgspec.json.encode(supervisor.Undo(supervisor.boot_id(), action=action)) + b"\n" for action in actions
        )
    )
    assert supervisor.end(journal) == ["program undone", "containers undone"]
    assert busy.running == {"postgres", "ingest", "worker"}


def test_statement_that_fails_keeps_no_other_from_its_turn(servers: Servers) -> None:
    with psycopg.connect(servers.postgres_url, autocommit=True) as database:
        database.execute("create table broken ()")
        with pytest.raises(psycopg.errors.UndefinedTable):
            Statements(servers.postgres_url, ("drop table absent", "drop table broken")).perform()
        assert database.execute("select to_regclass('broken')").fetchone() == (None,)


def test_what_faults_set_in_the_servers_is_as_it_was(servers: Servers) -> None:
    with (
        psycopg.connect(servers.superuser_url, autocommit=True) as database,
        redis.Redis.from_url(servers.redis_url) as valkey,
    ):
        database.execute("alter role events connection limit 0")
        valkey.config_set("maxmemory-policy", "allkeys-lru")
        valkey.config_set("maxmemory", "1")
        Statements(servers.superuser_url, (role_as_it_was("events"),)).perform()
        Commands(servers.redis_url, VALKEY_AS_IT_WAS).perform()
        limit = database.execute("select rolconnlimit from pg_roles where rolname = 'events'").fetchone()
        assert limit == (-1,)
        assert valkey.config_get("maxmemory") == {"maxmemory": "0"}
        assert valkey.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
