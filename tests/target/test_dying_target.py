"""A target that dies for good, and with it the only one who could tell its dead letters: judged by what there is."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import psycopg
import pytest

from shaketable import rundir
from shaketable.checks.check import Verdict
from shaketable.checks.verdict import judge_history
from shaketable.errors import TargetError
from shaketable.evidence import observe
from shaketable.evidence.history.deaths import deaths
from shaketable.report.page.sentence import sentence
from shaketable.stack.stack import Stack
from shaketable.target import dead_letters as letters
from shaketable.target import stored_rows
from shaketable.target.ingest_table import Ingest
from shaketable.target.manifest import Manifest
from shaketable.target.source_tables import DeadLetters, Stored
from tests.conftest import Servers
from tests.runner.test_phases import end, start
from tests.support.histories import exited, history, sent, started, stored, unreadable

#: Nobody listens there.
GONE = "http://127.0.0.1:1/dead-letters"


@pytest.fixture
def store(servers: Servers) -> Stack:
    """As far as ids are read from it; one row is kept there."""
    with psycopg.connect(servers.postgres_url) as connection:
        connection.execute("create table kept (event_id text, event json)")
        connection.execute("insert into kept values ('a', '{}')")
    return cast(Stack, SimpleNamespace(owner_url=lambda: servers.postgres_url))


def manifest(sql: str = "select event_id, event from kept", dead: DeadLetters | None = None) -> Manifest:
    return Manifest(1, "t", Ingest("p"), (), Stored(sql), dead_letters=dead)


def test_ids_that_are_stored_are_known_although_nobody_tells_the_dead_letters(store: Stack) -> None:
    assert observe.persisted_ids(store, manifest(dead=DeadLetters(url=GONE))) == {"a"}


@pytest.mark.parametrize("broken", ["no_such_table", "(select 1 / 0 as event_id, '{}'::json as event) as q"])
def test_sql_that_fails_by_then_leaves_the_other_ids_known(store: Stack, broken: str) -> None:
    dead = DeadLetters(sql="select event_id, event from kept")
    assert observe.persisted_ids(store, manifest(f"select event_id, event from {broken}", dead)) == {"a"}


def test_letters_that_nobody_tells_are_one_line_that_says_why() -> None:
    (row,) = stored_rows.readable(letters.rows(GONE))
    told = msgspec.json.decode(msgspec.json.encode(row))
    assert (told["event_id"], told["more"], "refused" in told["unreadable"]) == (None, True, True)


def test_rows_before_a_failure_are_kept() -> None:
    def rows() -> Any:
        yield {"event_id": "a"}
        raise TargetError("no more")

    first, last = stored_rows.readable(rows())
    assert (first["event_id"], last["more"]) == ("a", True)


def test_what_may_be_a_dead_letter_is_not_lost_and_the_deaths_come_first() -> None:
    died = (
        started("worker"),
        exited("worker", 3, asked=False),
        started("worker", 4, 2),
        exited("worker", 5, 2, asked=False),
        started("intake"),
        exited("intake", 9),
    )
    doc = judge_history(
        history(sent("a").acknowledged(1), stored("b"), unreadable(rundir.DEAD_LETTERS, more=True), *died)
    )
    assert (doc.verdict, doc.checks["no_loss"].verdict) == (Verdict.UNKNOWN, Verdict.UNKNOWN)
    assert len(doc.deaths) == 1
    assert doc.deaths[0].startswith("worker died by itself 2 times (it was killed by SIGKILL) and did not come back")
    assert doc.deaths[0] in sentence(msgspec.to_builtins(doc))


def test_process_that_came_back_is_told_behind_one_that_did_not() -> None:
    died = (started("a"), exited("a", 3, asked=False), started("a", 4, 2), started("b"), exited("b", 4, asked=False))
    assert [text.split()[0] for text in deaths(history(*died))] == ["b", "a"]


TARGET = """
contract = 1
name = "dying"
setup = ["{python}", "dying.py", "setup"]

[ingest]
process = "intake"

[[process]]
name = "intake"
command = ["{python}", "dying.py", "intake"]
health = "/health"

[stored]
sql = "select event_id, event from kept"

[dead_letters]
url = "/dead-letters"
"""
#: It acknowledges four events, keeps two of them where nobody can read them any more, and ends.
DYING = """
import json, os, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import psycopg

lock, taken = threading.Lock(), []
database = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
if sys.argv[1] == "setup":
    database.execute("create table kept (event_id text primary key, event json)")
    sys.exit()

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(200)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        with lock:
            taken.append(body)
            if len(taken) % 2:
                database.execute("insert into kept values (%s, %s) on conflict do nothing",
                                 [json.loads(body)["eventId"], body])
            self.answer(202)
            if len(taken) == 4:
                os._exit(3)

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_): ...

ThreadingHTTPServer(("127.0.0.1", int(os.environ["HTTP_PORT"])), Handler).serve_forever()
"""
SCENARIO = """
from shaketable.checks import NoLoss
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(story="It dies.", load=Load(rate=20, baseline_s=1, shake_s=1, recover_s=1), timeline=(),
                    checks=(NoLoss(),), drain_s=1, resend_for_s=2)
"""


@pytest.mark.long
@pytest.mark.slow
def test_target_that_dies_for_good_in_a_run_is_judged(tmp_path: Path) -> None:
    for name, text in (("target.toml", TARGET), ("dying.py", DYING), ("scenario.py", SCENARIO)):
        (tmp_path / name).write_text(text)
    harness = start(tmp_path / "runs", "--target", tmp_path / "target.toml", scenario=tmp_path / "scenario.py")
    said = end(harness)
    assert (harness.returncode, "Traceback" in said) == (2, False), said
    doc = msgspec.json.decode((tmp_path / "runs" / "latest" / "verdict.json").read_bytes())
    assert doc["checks"]["no_loss"]["verdict"] == "unknown"
    assert doc["checks"]["no_loss"]["counts"]["undelivered"] > 0
    assert doc["deaths"][0].startswith("intake died by itself 2 times (it ended with exit code 3)")
    assert doc["deaths"][0].split(":")[0] in " ".join(said.split())
