"""Dead letters over HTTP: all pages, each member as it was written, and what is wrong with an answer in a sentence."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from shaketable import rundir
from shaketable.checks.verdict import judge_run
from shaketable.errors import ManifestError, TargetError
from shaketable.target import dead_letters as letters
from shaketable.target import manifest, stored_rows
from shaketable.target.readers import pages
from tests.support.cases import cases
from tests.support.histories import run_of, sent
from tests.target.test_manifest import SOUND, write

Tell = Callable[..., str]


def letter(number: int, **more: Any) -> dict[str, Any]:
    return {"event_id": f"id-{number}", "event": {"n": number, "big": 1e300}, "cause": "why", **more}


@pytest.fixture
def tell() -> Iterator[Tell]:
    """Serves these dead letters, or these bytes, and gives the URL."""
    servers: list[ThreadingHTTPServer] = []

    def serve(told: list[dict[str, Any]] | bytes, status: int = 200) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = parse_qs(urlsplit(self.path).query)
                offset, limit = int(asked["offset"][0]), int(asked["limit"][0])
                page = told if isinstance(told, bytes) else lines(told[offset : offset + limit])
                self.send_response(status)
                self.send_header("Total-Count", str(len(told.splitlines() if isinstance(told, bytes) else told)))
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, *args: Any) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        return f"http://127.0.0.1:{server.server_port}/dead-letters"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def lines(told: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in told)


@pytest.mark.parametrize("many", [0, 1, pages.PAGE, pages.PAGE * 2 + 3])
def test_every_page_is_read(tell: Tell, many: int) -> None:
    url = tell([letter(number) for number in range(many)])
    assert letters.count(url) == many
    assert letters.ids(url) == {f"id-{number}" for number in range(many)}


def test_a_member_stays_as_it_was_written(tell: Tell) -> None:
    (row,) = letters.rows(tell([letter(1)]))
    assert bytes(row["event"]) == b'{"n": 1, "big": 1e+300}'


def test_an_answer_of_no_use_is_told(tell: Tell) -> None:
    with pytest.raises(TargetError, match=r"url fails: .*503"):
        list(letters.rows(tell(b"", 503)))


@pytest.mark.parametrize(
    ("line", "event_id"),
    [
        (b"no JSON", None),
        (b"[]", None),
        (b'{"event_id": "x"}', "x"),
        (b'{"event_id": "x", "event": ' + b"[" * 9000, None),
        (b'{"event_id": "x", "event": {"action": "\xff"}}', "x"),
    ],
)
def test_a_line_that_cannot_be_read_hides_no_other(tell: Tell, line: bytes, event_id: str | None) -> None:
    url = tell(line + b"\n" + lines([letter(1)]))
    bad, good = letters.rows(url)
    assert bad["unreadable"]
    assert msgspec.json.decode(bad["event_id"]) == event_id
    assert "unreadable" not in good
    assert letters.ids(url) == {"id-1"} | {event_id} - {None}


def test_an_event_with_a_lone_surrogate_is_kept_in_a_string(tell: Tell) -> None:
    event = {"action": "\ud800", "n": 1}
    (row,) = letters.rows(tell([letter(1, event=event, cause="\udc00")]))
    assert "unreadable" not in row
    assert json.loads(msgspec.json.decode(row["event"])) == event
    assert isinstance(msgspec.json.decode(msgspec.json.encode(row)), dict)


@pytest.mark.parametrize("number", ["1.234567890123456789012345", "1e400", "1.0"])
def test_number_beside_a_lone_surrogate_keeps_its_digits(tell: Tell, number: str) -> None:
    line = f'{{"event_id": "a", "event": {{"n": {number}, "action": "\\ud800"}}, "attempts": 5}}\n'
    (row,) = letters.rows(tell(line.encode()))
    assert "unreadable" not in row
    assert f'"n": {number},' in msgspec.json.decode(row["event"])


MEMBERS = ["event_id", "event", "cause", "attempts", "last_failed_at", "history", "unreadable"]
HARD = [
    b"1e400",
    b"NaN",
    b'"\\ud800"',
    b'"\\u0000"',
    b"9" * 5000,
    b"[" * 600 + b"]" * 600,
    b"{}",
    b"null",
    b"-5",
    b'"\xff"',
]


@pytest.mark.parametrize("name", cases(MEMBERS, each_change=["event", "attempts"]))
@pytest.mark.parametrize("value", HARD, ids=range(len(HARD)))
def test_no_member_keeps_the_others_or_the_run_from_being_judged(
    tell: Tell, tmp_path: Path, name: str, value: bytes
) -> None:
    good = {"event_id": b'"a"', "event": b"{}", "cause": b'"why"'} | {name: value}
    url = tell(b"{%s}\n" % b",".join(b'"%s":%s' % (each.encode(), written) for each, written in good.items()))
    assert len(letters.ids(url)) <= 1
    run = run_of([sent("a")], tmp_path)
    rundir.write_lines(run / rundir.DEAD_LETTERS, letters.rows(url))
    found = judge_run(run).checks["dead_letters_explained"]
    assert "raised" not in found.why
    assert found.counts["dead"] == 1


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("position", Decimal(2**63 - 1), 2**63 - 1),
        ("position", Decimal(2**63), None),
        ("position", Decimal("NaN"), None),
        ("committed_at", 2**52 + 1, None),
        ("attempts", Decimal("1E+5000"), b'"1E+5000"'),
        ("history", "1e400", "1e400"),
        ("event", "1e400", b"1e400"),
    ],
)
def test_number_of_a_row_that_no_run_file_can_hold_is_none_or_text(name: str, value: Any, told: Any) -> None:
    found = stored_rows._value(name, value)
    assert (bytes(found) if isinstance(found, msgspec.Raw) else found) == told


def test_an_id_that_is_no_text_is_told_as_text(tell: Tell) -> None:
    assert letters.ids(tell([letter(1, event_id=7), letter(2, event_id=None)])) == {"7"}


def test_a_number_that_cannot_be_told_is_none(tell: Tell) -> None:
    assert letters.count(tell([], 503)) is None
    assert letters.count("http://127.0.0.1:1/dead-letters") is None


@pytest.mark.parametrize(
    ("given", "told"),
    [("", "got none: name one"), ('sql = "select 1"\nurl = "/dead-letters"', "got sql and url: name one")],
)
def test_dead_letters_come_from_one_place(tmp_path: Path, given: str, told: str) -> None:
    with pytest.raises(ManifestError, match=rf"\[dead_letters\] to have one of redis, sql, url, {told}"):
        manifest.load(write(tmp_path, SOUND + f"[dead_letters]\n{given}"))
