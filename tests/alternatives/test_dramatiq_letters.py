"""Dramatiq's dead letter queue, told as the contract wants it; the keys are those of its dispatch.lua."""

from __future__ import annotations

import importlib
import json

import pytest
import redis

from tests.conftest import Servers

EVENT = {"eventId": "0b8f9a52-6c1e-4c59-9a37-3f4d2e9c1a77", "action": "x"}


def dead(client: redis.Redis, id_: str, **options: object) -> None:
    message = {"args": [EVENT], "options": options, "message_timestamp": 1_790_000_000_000}
    client.zadd("dramatiq:default.XQ", {id_: 1_790_000_060_000})
    client.hset("dramatiq:default.XQ.msgs", id_, json.dumps(message))


def test_letter_tells_cause_attempts_and_times(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", servers.redis_url)
    letters = importlib.reload(importlib.import_module("alternatives.dramatiq.dead_letters"))
    assert (letters.count(), list(letters.page(0, 10))) == (0, [])
    with redis.Redis.from_url(servers.redis_url) as client:
        dead(client, "a", retries=3, traceback="Traceback …\npsycopg.errors.DiskFull: its text\n")
        dead(client, "b")
    tried, thrown = letters.page(0, 10)
    assert letters.count() == 2
    assert (tried["event_id"], tried["event"]) == (EVENT["eventId"], EVENT)
    assert (tried["cause"], tried["attempts"]) == ("psycopg.errors.DiskFull", 3)  # and no content
    assert tried["first_failed_at"] < tried["last_failed_at"] == "2026-09-21T14:14:20+00:00"
    assert (thrown["attempts"], thrown["first_failed_at"]) == (1, thrown["last_failed_at"])
    assert list(letters.page(2, 10)) == []
