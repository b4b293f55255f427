"""What a target prints or keeps in Redis is read within bounds, and what is wrong with it is one sentence."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
import redis

from shaketable import rundir
from shaketable.errors import TargetError
from shaketable.evidence.backlog import Backlog
from shaketable.evidence.history.persisted import DeadLetter
from shaketable.stack.process import Child
from shaketable.stack.stack import Stack
from shaketable.stack.supervisor import Supervisor
from shaketable.target.ingest_table import Ingest
from shaketable.target.manifest import Manifest
from shaketable.target.readers import command, ndjson, redis_entries, stored
from shaketable.target.readers.queue import Throttled
from shaketable.target.readers.whole import whole
from shaketable.target.source_tables import Counted, DeadLetterKey, Queue, Stored
from shaketable.target.target import preloaded
from tests.conftest import Servers

NO_SQL = Manifest(2, "t", Ingest("p"), (), Stored(url="/stored"))


@pytest.fixture
def launching() -> Iterator[Stack]:
    """As far as commands are launched on it."""
    with closing(Supervisor(f"test-{secrets.token_hex(4)}")) as supervisor:

        def launch(name: str, words: Sequence[str], env: Mapping[str, str], cwd: Path, log: Path) -> Child:
            return supervisor.spawn(name, words, env=env, cwd=cwd, log=log)

        yield cast(Stack, SimpleNamespace(services=[], launch=launch, own={"nats": SimpleNamespace(password="s3cret")}))


def prints(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_command_prints_lines_and_its_errors_are_no_lines(launching: Stack, tmp_path: Path) -> None:
    code = "import sys; print('{}'); print('warning', file=sys.stderr); print('{\\r}\\r\\n')"
    manifest = msgspec.structs.replace(NO_SQL, cwd=str(tmp_path))
    assert command.lines(launching, manifest, "stored", prints(code)) == [b"{}", b"{\r}\r"]


@pytest.mark.parametrize(
    ("code", "told", "within_s"),
    [
        ("raise SystemExit('no such table')", "ends with exit code 1: no such table", 60),
        ("raise SystemExit('nats://:s3cret@localhost')", r"1: nats://:\*\*\*@localhost", 60),
        ("import time; time.sleep(60)", "does it come to an end", 1),
        ("while True: print('x' * 10**6)", "does it come to an end", 60),
    ],
)
def test_command_that_fails_hangs_or_never_ends_is_one_sentence(
    launching: Stack, tmp_path: Path, code: str, told: str, within_s: float
) -> None:
    manifest = msgspec.structs.replace(NO_SQL, cwd=str(tmp_path))
    with pytest.raises(TargetError, match=told):
        command.output(launching, manifest, "stored", prints(code), within_s, 1 << 20)


@pytest.mark.parametrize(("code", "number"), [("print(7)", 7), ("print(' 0 ')", 0)])
def test_command_gives_the_number_of_pending_events(launching: Stack, tmp_path: Path, code: str, number: int) -> None:
    manifest = msgspec.structs.replace(
        NO_SQL, cwd=str(tmp_path), queue=Queue(command=tuple(prints(code)), parked=Counted(command=tuple(prints(code))))
    )
    with Backlog(launching, manifest) as backlog:
        assert (backlog.queue(), backlog.by_key(), backlog.parked()) == (
            number,
            {"queue": number},
            {"queue.parked": number},
        )


def test_number_at_the_end_of_a_run_is_counted_anew(launching: Stack, tmp_path: Path) -> None:
    (pending := tmp_path / "pending").write_text("0")
    counts = tuple(prints(f"print(open({str(pending)!r}).read())"))
    manifest = msgspec.structs.replace(NO_SQL, cwd=str(tmp_path), queue=Queue(command=counts))
    with Backlog(launching, manifest) as backlog:
        assert backlog.queue() == 0
        pending.write_text("1")  # a job comes back
        assert backlog.by_key() == {"queue": 1}


def test_command_without_a_number_is_named(launching: Stack, tmp_path: Path) -> None:
    manifest = msgspec.structs.replace(NO_SQL, cwd=str(tmp_path))
    with pytest.raises(TargetError, match=r"\[queue\] command to print a number, got 'many'"):
        command.number(launching, manifest, "queue", prints("print('many')"))


def test_command_that_is_not_there_is_named(launching: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.defpath)  # with a folder that this user may not search, any program is "denied"
    manifest = msgspec.structs.replace(NO_SQL, cwd=str(tmp_path))
    with pytest.raises(TargetError, match="ends with exit code 127"):
        command.number(launching, manifest, "queue", ["no-such-program"])


def test_stored_events_of_a_command_are_rows_with_their_times(launching: Stack, tmp_path: Path) -> None:
    line = '{"event_id":"a","event":{"n":1e400},"position":3,"committed_at":"2026-11-24T01:30:28.5Z"}'
    manifest = msgspec.structs.replace(
        NO_SQL, cwd=str(tmp_path), stored=Stored(command=tuple(prints(f"print({line!r}); print('no JSON')")))
    )
    row, odd = stored.rows(launching, manifest)
    assert (row["position"], row["committed_at"]) == (3, 1_795_483_828_500_000)
    assert msgspec.json.encode(row["event"]) == b'{"n":1e400}'
    assert "unreadable" in odd
    assert stored.ids(launching, manifest) == {"a"}


@pytest.mark.parametrize("value", ["soon", "2026-11-24T01:30:28", 1.5, -1, True, 2**60, None])
def test_time_that_is_none_is_left_out(value: Any) -> None:
    found = ndjson.stored(ndjson.row(msgspec.json.encode({"event_id": "a", "event": {}, "committed_at": value})))
    assert found["committed_at"] is None


def test_expensive_count_is_made_a_fifth_of_the_time() -> None:
    now, made = [0.0], list[float]()

    def count() -> int:
        made.append(now[0])
        now[0] += 2  # it takes 2 s
        return len(made)

    throttled = Throttled(count, lambda: now[0])
    for _ in range(100):
        throttled.value()
        now[0] += 0.25
    assert {round(later - made[0]) % 10 for later in made} == {0}
    assert len(made) >= 3


def test_number_that_is_older_than_asked_for_is_unknown() -> None:
    now, numbers = [0.0], iter([7, 8])

    def count() -> int:
        now[0] += 2  # it takes 2 s, so the next count is due 8 s later
        return next(numbers)

    throttled = Throttled(count, lambda: now[0])
    seen = []
    for _ in range(9):
        seen.append((throttled.value(1.0), throttled.value()))
        now[0] += 1
    assert seen == [(7, 7), (7, 7), *[(None, 7)] * 6, (8, 8)]


Fill = Callable[[redis.Redis, bytes], Any]


@pytest.mark.parametrize(
    ("kind", "fill"),
    [
        ("list", lambda server, entry: server.rpush("dead", entry)),
        ("zset", lambda server, entry: server.zadd("dead", {entry: 1})),
        ("set", lambda server, entry: server.sadd("dead", entry)),
        ("hash", lambda server, entry: server.hset("dead", "job-1", entry)),
        ("stream", lambda server, entry: server.xadd("dead", {"job": entry})),
    ],
)
def test_dead_letters_are_read_from_redis(servers: Servers, kind: Any, fill: Fill) -> None:
    server = redis.Redis.from_url(servers.redis_url)
    fill(server, b'{"args":[],"job":{"event":{"eventId":"a","n":1e400}},"cause":"22P02","attempts":5}')
    key = DeadLetterKey("dead", kind, field="job", event="/job/event", id="/job/event/eventId")
    assert redis_entries.count(servers.redis_url, key) == 1
    (row,) = redis_entries.rows(servers.redis_url, key)
    assert ndjson.id_of(row) == "a"
    assert bytes(row["event"]) == b'{"eventId":"a","n":1e400}'
    assert (bytes(row["cause"]), bytes(row["attempts"])) == (b'"22P02"', b"5")


def test_entry_on_several_lines_is_one_line_of_the_run(servers: Servers, tmp_path: Path) -> None:
    redis.Redis.from_url(servers.redis_url).rpush(
        "dead",
        b'{\r\n "event_id": "a",\n "event": {\n  "n": 1e400\n },\n "history": [\n  1\n ]\n}\n',
        b'{\n "event_id": "b",\n "event": {\n  "lone": "\\ud800", "n": 1.00\n }\n}\n',
    )
    path = tmp_path / rundir.DEAD_LETTERS
    rundir.write_lines(path, redis_entries.rows(servers.redis_url, DeadLetterKey("dead", id="/event_id")))
    one, other = rundir.read_lines(path, DeadLetter)
    assert (one.event_id, bytes(one.event), one.history) == ("a", b'{   "n": 1e400  }', [1])
    assert (other.event_id, other.unreadable) == ("b", None)
    assert '"n": 1.00' in msgspec.json.decode(other.event, type=str)


def test_entry_without_the_event_is_unreadable(servers: Servers) -> None:
    redis.Redis.from_url(servers.redis_url).rpush("dead", b'{"event_id":"a"}', b"no JSON")
    found = list(redis_entries.rows(servers.redis_url, DeadLetterKey("dead")))
    assert ["unreadable" in row for row in found] == [True, True]


@pytest.mark.parametrize(
    ("body", "pointer", "found"),
    [
        (b'{"args":[{"id":1.0},2]}', "/args/0/id", b"1.0"),
        (b'{"a/b":{"~":null}}', "/a~1b/~0", b"null"),
        (b" [[1], [2, 3]]", "/1/1", b"3"),
        (b'{"a":1}', "", b'{"a":1}'),
        (b"[1]", "/1", None),
        (b"[1]", "/-1", None),
        (b"[1]", "/a", None),
        (b'"text"', "/0", None),
        (b'{"a":"\\ud800","b":{"c": 1.00}}', "/b/c", b"1.00"),
        (b'{"a":["\\ud800", 1e400 ]}', "/a/1", b"1e400"),
        (b'{"a":"\\ud800"}', "/b", None),
        (b'{"a":["\\ud800"]}', "/a/1", None),
        (b'{"a":"\\ud800"', "/a", None),
        (b'{"a":"\xff"}', "/a", None),  # no UTF-8
        (b"no JSON", "", None),
    ],
)
def test_pointer_leads_through_objects_and_arrays(body: bytes, pointer: str, found: bytes | None) -> None:
    assert ndjson.at(body, pointer) == found


@pytest.mark.parametrize("value", [-1, 2**63, 2**64 - 1, float("inf"), float("nan"), "x", "-1", None])
def test_number_that_no_history_holds_is_none(value: Any) -> None:
    with pytest.raises(ValueError, match=r"number|invalid|convert"):
        whole(value)


def test_libraries_of_the_target_are_loaded_after_those_of_a_fault() -> None:
    env = {"LD_PRELOAD": "libjemalloc.so", "PATH": "/bin"}
    assert preloaded({"LD_PRELOAD": "libfaketime.so", "FAKETIME": "x"}, env) == {
        "LD_PRELOAD": "libfaketime.so libjemalloc.so",
        "FAKETIME": "x",
    }
