"""The time of some kilobytes over a link, for faults that a short exchange cannot show.

Postgres and Redis send them back; the intake and the harness's receiver get them as the body of a POST to a path that
no manifest may name, so that they are no event.
"""

from __future__ import annotations

import time

import psycopg
import redis

from shaketable import libpq
from shaketable.stack.stack import OWN_NAME, Service
from shaketable.target import bounded_http

#: Seconds that a transfer may take.
TIMEOUT_S = 5


def ms(service: Service, url: str, kilobytes: int) -> float | None:
    """Milliseconds for the transfer, connecting left out but for the intake; None when it broke off."""
    data = "x" * (1000 * kilobytes)
    try:
        return {"postgres": _postgres, "redis": _redis, "ingest": _ingest, "outbound": _ingest}[service](url, data)
    except (psycopg.Error, redis.RedisError, bounded_http.NoResponse, OSError):
        return None


def _postgres(url: str, data: str) -> float:
    session = libpq.connect(url, connect_timeout=TIMEOUT_S, tcp_user_timeout=1000 * TIMEOUT_S)
    with session as connection, libpq.time_limit(connection, 2 * TIMEOUT_S):
        connection.execute(f"set statement_timeout = '{TIMEOUT_S}s'")
        began = time.monotonic_ns()
        connection.execute("select %s::text", [data]).fetchone()
        return _since(began)


def _redis(url: str, data: str) -> float:
    with redis.Redis.from_url(
        url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, client_name=OWN_NAME
    ) as client:
        client.ping()
        began = time.monotonic_ns()
        client.echo(data)
        return _since(began)


def _ingest(url: str, data: str) -> float:
    began = time.monotonic_ns()
    bounded_http.send("POST", url, data.encode(), TIMEOUT_S)
    return _since(began)


def _since(began: int) -> float:
    return (time.monotonic_ns() - began) / 1e6
