"""The harness's receiver keeps each delivery as it was sent, and serves it as a reader expects."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from shaketable import rundir
from shaketable.checks.check import Verdict
from shaketable.checks.verdict import judge_run
from shaketable.errors import TargetError
from shaketable.target import bounded_http
from shaketable.target.body_server import MOST
from shaketable.target.readers import ndjson, pages
from shaketable.target.receiver import Receiver
from tests.support.histories import run_of, sent


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def receiver(opened: ExitStack, event: str = "", id_: str = "/eventId") -> Receiver:
    return opened.enter_context(Receiver(0, "/hook", event, id_))


def post(to: Receiver, body: bytes, path: str = "/hook") -> int:
    return bounded_http.send("POST", f"http://{to.address}{path}", body, 60).status


def test_delivery_is_kept_to_the_letter_and_numbered(opened: ExitStack) -> None:
    hook = receiver(opened)
    assert [post(hook, b'{"eventId":"a","n":1e400}'), post(hook, b'{"eventId":"b",\n "x": -0.0}')] == [204, 204]
    first, second = (ndjson.stored(row) for row in pages.rows(hook.url, "outbound"))
    assert [ndjson.id_of(row) for row in (first, second)] == ["a", "b"]
    assert [bytes(msgspec.json.encode(row["event"])) for row in (first, second)] == [
        b'{"eventId":"a","n":1e400}',
        b'{"eventId":"b",  "x": -0.0}',
    ]
    assert (first["position"], second["position"]) == (0, 1)
    assert first["committed_at"] <= second["committed_at"]


def test_event_and_id_are_found_by_their_pointers(opened: ExitStack) -> None:
    hook = receiver(opened, "/data", "/order/id")
    post(hook, b'{"type":"order.made","data":{"order":{"id":"o-1"}}}')
    (row,) = pages.rows(hook.url, "outbound")
    assert ndjson.id_of(row) == "o-1"
    assert bytes(msgspec.json.encode(row["event"])) == b'{"order":{"id":"o-1"}}'


@pytest.mark.parametrize(("event", "id_"), [("", "/id"), ("/data", "/id"), ("/data", "/order/id")])
def test_delivery_with_a_lone_surrogate_has_its_id(opened: ExitStack, event: str, id_: str) -> None:
    order = {"id": "o-1", "order": {"id": "o-1", "note": "x\ud800"}, "price": 1.5}
    hook = receiver(opened, event, id_)
    post(hook, json.dumps({"\udc00": 1, "data": order} if event else order, indent=1).encode())
    (row,) = (ndjson.stored(each) for each in pages.rows(hook.url, "outbound"))
    assert ndjson.id_of(row) == "o-1"
    assert json.loads(msgspec.json.decode(row["event"])) == order


def test_deliverer_of_lone_surrogates_loses_and_invents_nothing(opened: ExitStack, tmp_path: Path) -> None:
    hook = receiver(opened)
    for event_id in ("a", "b"):
        post(hook, json.dumps({"eventId": event_id, "action": "\ud800"}).encode())
    run = run_of([sent("a").acknowledged(1), sent("b").acknowledged(1)], tmp_path)
    rundir.write_lines(run / rundir.STORED, map(ndjson.stored, pages.rows(hook.url, "outbound")))
    checks = judge_run(run).checks
    assert [checks[name].verdict for name in ("no_loss", "nothing_invented")] == [Verdict.PASSED] * 2


@pytest.mark.parametrize("odd", [b'{\n"a":1\n}', b"[1,\r\n2]", b'{"a":"\\ud800"\n}'])
def test_delivery_whose_id_has_line_ends_hides_no_other(opened: ExitStack, odd: bytes) -> None:
    hook = receiver(opened)
    for number in range(pages.PAGE + 5):
        hook.record(b'{"eventId":%b}' % (odd if number == 3 else b'"%d"' % number))
    rows = list(pages.rows(hook.url, "outbound"))
    assert not any("unreadable" in row for row in rows)
    found = {ndjson.id_of(row) for row in rows}
    assert found >= {str(number) for number in range(pages.PAGE + 5) if number != 3}


def test_body_without_an_event_is_kept_without_an_id(opened: ExitStack) -> None:
    hook = receiver(opened)
    for body in (b"no JSON", b"{}", b"[" * 100_000):
        assert post(hook, body) == 204
    assert [ndjson.id_of(row) for row in pages.rows(hook.url, "outbound")] == [None, None, None]


def test_all_pages_and_their_number_are_served(opened: ExitStack) -> None:
    hook = receiver(opened)
    for number in range(pages.PAGE + 5):
        hook.record(b'{"eventId":"%d"}' % number)
    assert pages.count(hook.url) == pages.PAGE + 5
    found = [ndjson.id_of(row) for row in pages.rows(hook.url, "outbound")]
    assert found == [str(number) for number in range(pages.PAGE + 5)]


def chunked(to: Receiver, *parts: bytes, end: bytes = b"0\r\n\r\n", head: str = "") -> bytes:
    """Post a body in chunks; returns the response."""
    with socket.create_connection((to.address.host, to.address.port), 60) as connection:
        connection.sendall(f"POST /hook HTTP/1.1\r\nHost: x\r\n{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        for part in parts:
            connection.sendall(b"%x;a=b\r\n%b\r\n" % (len(part), part))
        connection.sendall(end)
        connection.shutdown(socket.SHUT_WR)
        return connection.recv(100)


def test_delivery_in_chunks_is_whole(opened: ExitStack) -> None:
    hook = receiver(opened)
    assert chunked(hook, b'{"eventId":', b'"a"}', end=b"0\r\nX-Sum: 1\r\n\r\n").startswith(b"HTTP/1.1 204")
    (row,) = pages.rows(hook.url, "outbound")
    assert ndjson.id_of(ndjson.stored(row)) == "a"


@pytest.mark.parametrize("end", [b"", b"5\r\nab", b"x\r\n", b"-1\r\n"])
def test_torn_delivery_in_chunks_is_none(end: bytes, opened: ExitStack) -> None:
    hook = receiver(opened)
    assert chunked(hook, b'{"eventId":"a"}', end=end) == b""
    assert pages.count(hook.url) == 0


def test_compressed_delivery_is_refused(opened: ExitStack) -> None:
    hook = receiver(opened)
    assert chunked(hook, b"\x1f\x8b", head="Content-Encoding: gzip\r\n").startswith(b"HTTP/1.1 415")
    assert pages.count(hook.url) == 0


def test_page_that_is_not_whole_is_an_error(opened: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = receiver(opened)
    for number in range(5):
        hook.record(b'{"eventId":"%d"}' % number)
    monkeypatch.setattr(hook, "page", lambda offset, limit: Receiver.page(hook, offset, min(limit, 3)))
    with pytest.raises(TargetError, match="3 of 5"):
        list(pages.rows(hook.url, "outbound"))


def test_other_paths_and_endless_bodies_are_no_deliveries(opened: ExitStack) -> None:
    hook = receiver(opened)
    assert post(hook, b"{}", "/other") == 404
    assert post(hook, b" " * (MOST + 1)) == 413
    assert pages.count(hook.url) == 0
