"""The durability settings that the servers of a run have in force, as the servers themselves report them."""

from __future__ import annotations

import psycopg
import redis

from shaketable import libpq
from shaketable.stack.stack import Stack

#: What decides which writes survive a power loss. PostgreSQL's documentation, "Reliability and the Write-Ahead Log".
POSTGRES = ("fsync", "synchronous_commit", "full_page_writes", "wal_sync_method")
#: Valkey's documentation, "Persistence".
VALKEY = ("appendonly", "appendfsync", "save")
#: Seconds that one question may take.
ASK_S = 5

Settings = dict[str, dict[str, str]]


def read(stack: Stack) -> Settings:
    """The settings by service; a service that does not answer, or that refuses the question, is absent."""
    found: Settings = {}
    if "postgres" in stack.services:
        found["postgres"] = _postgres(stack.admin_url())
    if "redis" in stack.services:
        found["redis"] = _valkey(stack.redis_url())
    return {service: settings for service, settings in found.items() if settings}


def _postgres(url: str) -> dict[str, str]:
    try:
        with libpq.connect(url, connect_timeout=ASK_S) as session:
            rows = session.execute("select name, setting from pg_settings where name = any(%s)", [list(POSTGRES)])
            known = {str(name): str(setting) for name, setting in rows}
    except psycopg.Error:
        return {}
    return {name: known[name] for name in POSTGRES if name in known}


def _valkey(url: str) -> dict[str, str]:
    try:
        with redis.Redis.from_url(url, socket_timeout=ASK_S, decode_responses=True) as client:
            known = {name: client.config_get(name).get(name) for name in VALKEY}
    except redis.RedisError:
        return {}
    return {name: str(value) or '""' for name, value in known.items() if value is not None}
