"""The doctor reads dead letters in Redis, and says what is wrong with the entries."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
import redis

from shaketable.doctor import dead_letters
from shaketable.doctor.session import DoctorSession
from shaketable.target.source_tables import DeadLetterKey, DeadLetters
from tests.conftest import Servers


@pytest.mark.parametrize(
    ("kind", "entries", "state"),
    [
        ("list", [], "ok"),
        ("list", [b'{"event_id":"a","event":{}}'], "ok"),
        ("list", [b'{"event_id":"a","payload":{}}'], "wrong"),
        ("zset", [b'{"event_id":"a","event":{}}'], "wrong"),  # it is a list
    ],
)
def test_dead_letters_in_redis_are_read(servers: Servers, kind: Any, entries: list[bytes], state: str) -> None:
    if entries:
        redis.Redis.from_url(servers.redis_url).rpush("dead", *entries)
    located = SimpleNamespace(dead_letters=DeadLetters(redis=DeadLetterKey("dead", kind)))
    session = SimpleNamespace(
        target=SimpleNamespace(located=lambda: located), stack=SimpleNamespace(redis_url=lambda: servers.redis_url)
    )
    (line,) = dead_letters.lines(cast(DoctorSession, session))
    assert (line.what, line.state) == ("dead_letters.redis dead", state)
