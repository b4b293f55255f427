"""Frames: every byte passes unchanged, however it is split, and each message is named where it begins."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from shaketable.crash_points.frames import statement
from shaketable.crash_points.frames.chunks import ChunkWire
from shaketable.crash_points.frames.postgres import PostgresWire
from shaketable.crash_points.frames.resp import RespWire
from shaketable.crash_points.frames.wire import HEAD, Part, Wire

WIRES: list[Callable[[], Wire]] = [RespWire, PostgresWire, ChunkWire]


def command(*words: bytes) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def frame(type_: bytes, content: bytes = b"") -> bytes:
    return type_ + (len(content) + 4).to_bytes(4) + content


STARTUP = (8 + len(b"user\0events\0\0")).to_bytes(4) + (196608).to_bytes(4) + b"user\0events\0\0"
SSL_REQUEST = (8).to_bytes(4) + (80877103).to_bytes(4)


def fed(parts: Callable[[bytes], Iterator[Part]], data: bytes, step: int | None = None) -> list[str]:
    """The kinds that it names; asserts that the parts, joined, are the data."""
    step = step or max(1, len(data))
    found = [part for at in range(0, len(data), step) for part in parts(data[at : at + step])]
    assert b"".join(part.data for part in found) == data
    return [part.kind for part in found if part.kind is not None]


def started() -> PostgresWire:
    wire = PostgresWire()
    assert fed(wire.outgoing, STARTUP) == []
    assert fed(wire.incoming, frame(b"R", b"\0\0\0\0") + frame(b"Z", b"I")) == []
    return wire


REQUESTS = (
    command(b"XADD", b"events:1", b"*", b"event", b'{"a": "\r\n*1\r\n$4\r\nPING\r\n"}')
    + command(b"xgroup", b"create", b"events:1", b"workers", b"0")
    + command(b"EVALSHA", b"3f2a91c0e0e1f9fabfc9d4800c877a703b823ac0", b"0")
    + b"PING\r\n"
    + command(b"SET", b"key", b"")
)
NAMED = ["XADD", "XGROUP CREATE", "EVALSHA 3f2a91c0", "PING", "SET"]
REPLIES = b"$3\r\n1-1\r\n" + b"-BUSYGROUP exists\r\n" + b"*2\r\n*1\r\n:1\r\n$-1\r\n" + b"+PONG\r\n" + b"_\r\n"


@pytest.mark.parametrize("step", [1, 2, 3, 7, 64, None])
def test_redis_requests_and_replies_are_named_however_they_are_split(step: int | None) -> None:
    wire = RespWire()
    assert fed(wire.outgoing, REQUESTS, step) == NAMED
    assert fed(wire.incoming, REPLIES, step) == [*NAMED[:-1], "SET (nil)"]


@pytest.mark.parametrize("nil", [b"_\r\n", b"*-1\r\n", b"$-1\r\n"])
def test_redis_reply_to_a_poll_that_waited_in_vain_is_another_kind_than_one_with_a_message(nil: bytes) -> None:
    wire = RespWire()
    asked = command(b"BRPOP", b"celery", b"1") * 3 + command(b"DECR", b"a")
    assert fed(wire.outgoing, asked) == ["BRPOP"] * 3 + ["DECR"]
    told = fed(wire.incoming, nil + b"*2\r\n$6\r\ncelery\r\n$1\r\na\r\n" + nil + b":-1\r\n")
    assert told == ["BRPOP (nil)", "BRPOP", "BRPOP (nil)", "DECR"]


def test_redis_message_is_named_before_any_of_its_bytes_has_passed() -> None:
    wire = RespWire()
    data = command(b"XADD", b"events:1", b"*", b"event", b"x" * 5000)
    parts = [part for at in range(0, len(data), 5) for part in wire.outgoing(data[at : at + 5])]
    assert parts[0].kind == "XADD"
    assert parts[0].data == b"*5\r\n$4\r\nXADD\r\n"


def test_redis_push_is_no_reply() -> None:
    wire = RespWire()
    fed(wire.outgoing, command(b"XACK", b"key", b"group", b"1-1") + command(b"XDEL", b"key", b"1-1"))
    push = b">2\r\n+invalidate\r\n*1\r\n+key\r\n"
    assert fed(wire.incoming, push + b":1\r\n" + push + b"|1\r\n+ttl\r\n:3\r\n:1\r\n") == ["XACK", "XDEL"]


def test_redis_maps_and_nested_arrays_are_one_reply() -> None:
    wire = RespWire()
    fed(wire.outgoing, command(b"HELLO", b"3") + command(b"XREADGROUP", b"GROUP") + command(b"PING"))
    nested = b"%1\r\n+events\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n+a\r\n*0\r\n"
    assert fed(wire.incoming, nested + b"*-1\r\n" + b"+PONG\r\n", 3) == ["HELLO", "XREADGROUP (nil)", "PING"]


def test_redis_replies_of_a_subscriber_belong_to_no_request() -> None:
    wire = RespWire()
    assert fed(wire.outgoing, command(b"SUBSCRIBE", b"news")) == ["SUBSCRIBE"]
    assert fed(wire.incoming, b"*3\r\n+subscribe\r\n+news\r\n:1\r\n*3\r\n+message\r\n+news\r\n+hi\r\n") == []


QUERY = frame(b"Q", b"BEGIN\0")
EXTENDED = (
    frame(b"P", b"\0insert into audit_log values ($1)\0\0\0")
    + frame(b"B", b"\0\0\0\0\0\0\0\0")
    + frame(b"D", b"P\0")
    + frame(b"E", b"\0\0\0\0\0")
    + frame(b"S")
)
COPY = frame(b"Q", b"COPY audit_log_2026_11 (a, b) FROM STDIN\0")
COPIED = frame(b"d", b"a\tb\n") + frame(b"c")
COMMIT = frame(b"Q", b"COMMIT\0")


@pytest.mark.parametrize("step", [1, 2, 5, 64, None])
def test_postgres_messages_and_replies_are_named_however_they_are_split(step: int | None) -> None:
    wire = started()
    assert fed(wire.outgoing, QUERY + EXTENDED + COPY, step) == ["BEGIN", "INSERT audit_log", "COPY audit_log_#_#"]
    ready = frame(b"Z", b"T")
    replies = frame(b"C", b"BEGIN\0") + ready
    replies += frame(b"1") + frame(b"2") + frame(b"n") + frame(b"C", b"INSERT 0 1\0") + ready + frame(b"G", b"\0\0\0")
    assert fed(wire.incoming, replies, step) == ["BEGIN", "INSERT audit_log", "COPY audit_log_#_#"]
    assert fed(wire.outgoing, COPIED + COMMIT, step) == ["COPY data", "COPY end", "COMMIT"]
    replies = frame(b"C", b"COPY 1\0") + ready + frame(b"C", b"COMMIT\0") + frame(b"Z", b"I")
    assert fed(wire.incoming, replies, step) == ["COPY end", "COMMIT"]


def test_postgres_copy_of_the_extended_protocol_keeps_replies_in_step() -> None:
    """libpq sends a Sync with the COPY, which the server ignores, and another after the data."""
    wire = started()
    fed(wire.outgoing, frame(b"P", b"\0copy t from stdin\0\0\0") + frame(b"B", b"\0\0\0\0\0\0\0\0"))
    fed(wire.outgoing, frame(b"E", b"\0\0\0\0\0") + frame(b"S"))
    assert fed(wire.incoming, frame(b"1") + frame(b"2") + frame(b"G", b"\0\0\0")) == ["COPY t"]
    fed(wire.outgoing, COPIED + frame(b"S") + COMMIT)
    replies = frame(b"C", b"COPY 1\0") + frame(b"Z", b"T") + frame(b"C", b"COMMIT\0") + frame(b"Z", b"I")
    assert fed(wire.incoming, replies) == ["COPY end", "COMMIT"]


def test_postgres_error_skips_the_rest_of_a_pipeline() -> None:
    wire = started()
    execute = frame(b"B", b"\0\0\0\0\0\0\0\0") + frame(b"E", b"\0\0\0\0\0")
    fed(wire.outgoing, frame(b"P", b"\0select 1\0\0\0") + execute + execute + frame(b"S") + COMMIT)
    replies = frame(b"E", b"SERROR\0\0") + frame(b"Z", b"E") + frame(b"C", b"ROLLBACK\0") + frame(b"Z", b"I")
    assert fed(wire.incoming, replies) == ["SELECT", "COMMIT"]


def test_postgres_prepared_statement_is_known_by_its_name() -> None:
    wire = started()
    fed(wire.outgoing, frame(b"P", b"_pg3_0\0delete from queue where id = $1\0\0\0"))
    bound = frame(b"B", b"portal\0_pg3_0\0\0\0\0\0\0\0") + frame(b"E", b"portal\0\0\0\0\0")
    assert fed(wire.outgoing, bound + bound) == ["DELETE queue"] * 2


def test_refused_tls_leaves_the_connection_readable() -> None:
    wire = PostgresWire()
    fed(wire.outgoing, SSL_REQUEST)
    fed(wire.incoming, b"N")
    assert fed(wire.outgoing, STARTUP + COMMIT) == ["COMMIT"]
    assert wire.opaque == ""


@pytest.mark.parametrize("answer", [b"S", b"G"])
def test_encrypted_connection_passes_unread_and_says_so(answer: bytes) -> None:
    wire, noise = PostgresWire(), random.Random(1).randbytes(10_000)
    fed(wire.outgoing, SSL_REQUEST)
    assert fed(wire.incoming, answer + noise) == []
    assert fed(wire.outgoing, noise) == []
    assert "encrypted" in wire.opaque


@pytest.mark.parametrize("kind", WIRES)
@pytest.mark.parametrize("seed", range(20))
def test_any_bytes_pass_unchanged_and_at_once(kind: Callable[[], Wire], seed: int) -> None:
    """Bytes that are no message of the protocol never wait for more."""
    wire, source = kind(), random.Random(seed)
    head = source.choice([b"\x16\x03\x01", b"*1\r\n#", b"\xff", b"*2\r\n$x\r\n"])
    noise = head + source.randbytes(2 * HEAD)
    for direction in (wire.outgoing, wire.incoming):
        assert b"".join(part.data for part in direction(noise)) == noise


@pytest.mark.parametrize("kind", [RespWire, PostgresWire])
def test_large_values_pass_in_bounded_memory(kind: type[RespWire] | type[PostgresWire]) -> None:
    chunk, count = b"x" * 65_536, 256
    wire: Wire = RespWire() if kind is RespWire else started()
    size = len(chunk) * count
    head = b"*2\r\n$3\r\nSET\r\n$%d\r\n" % size if kind is RespWire else b"d" + (size + 4).to_bytes(4)
    tracemalloc.start()
    passed = sum(len(part.data) for part in wire.outgoing(head))
    for _ in range(count):
        passed += sum(len(part.data) for part in wire.outgoing(chunk))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert passed == len(head) + size
    assert peak < 10 * len(chunk)
    assert wire.opaque == ""


def test_chunk_replies_to_the_chunks_before_it() -> None:
    wire = ChunkWire()
    assert fed(wire.outgoing, b"PUB a 1") == ["chunk"]
    assert fed(wire.incoming, b"+OK") == ["chunk"]
    assert fed(wire.incoming, b"PING") == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("BEGIN", "BEGIN"),
        ("start transaction isolation level serializable", "BEGIN"),
        ("  /* a comment */ -- and a line\n COMMIT;", "COMMIT"),
        ("end", "COMMIT"),
        ("ROLLBACK TO SAVEPOINT _pg3_1", "ROLLBACK TO"),
        ('INSERT INTO "audit_log_2026_11" (id) VALUES (1)', "INSERT audit_log_#_#"),
        ("insert into public.orders select 'secret'", "INSERT public.orders"),
        ("with picked as (select 1 from jobs) update jobs set a = 1", "UPDATE jobs"),
        ("delete from only t where id = 7", "DELETE t"),
        ("copy staging (a) from stdin", "COPY staging"),
        ("create table if not exists x.y (a int)", "CREATE x.y"),
        ("select pg_try_advisory_lock(7)", "SELECT pg_try_advisory_lock"),
        ("select a, 'secret' from t", "SELECT t"),
        ("select 'secret'", "SELECT"),
        ("set lock_timeout = '3s'", "SET"),
        ("", "empty statement"),
        ("$%&", "statement"),
    ],
)
def test_statement_is_named_by_its_verb_and_its_thing_never_by_a_value(text: str, kind: str) -> None:
    assert statement.kind(text) == kind
