"""What a killed harness leaves behind is ended by the supervisor, and by `heal` when that is killed too."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import psutil
import psycopg
import pytest
import redis

from shaketable.errors import HarnessError
from shaketable.stack import supervisor, undo
from shaketable.stack.undo import Program
from tests.conftest import Servers

#: A stand-in for the harness: starts a child that it tells the supervisor of, one that it does not, and a folder.
HARNESS = """
import subprocess, sys, time
from pathlib import Path
from shaketable.stack.process import Identity
from shaketable.stack.supervisor import Supervisor

run_id, folder = sys.argv[1:]
mine = Supervisor(run_id)
Path(folder).mkdir()
mine.folder(Path(folder))
told = subprocess.Popen(["sleep", "600"], start_new_session=True)
mine.process("told", Identity.of(told.pid))
untold = subprocess.Popen(["sleep", "600"], start_new_session=True, env={"SHAKETABLE_RUN": run_id})
print(told.pid, untold.pid, mine._process.pid, flush=True)
if "close" in run_id:
    mine.close()
else:
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def _own_journals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is healed here is what is broken here."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def start(run_id: str, folder: Path) -> tuple[subprocess.Popen[str], list[int]]:
    harness = subprocess.Popen(
        [sys.executable, "-c", HARNESS, run_id, str(folder)], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert harness.stdout is not None
    return harness, [int(pid) for pid in harness.stdout.readline().split()]


def end(harness: subprocess.Popen[str]) -> None:
    harness.kill()
    harness.wait()
    assert harness.stdout is not None
    harness.stdout.close()


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def all_gone(pids: list[int], within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while any(map(is_alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(map(is_alive, pids))


def test_killed_harness_leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    harness, pids = start(f"test-kill-{os.getpid()}", tmp_path / "stack")
    end(harness)
    assert all_gone(pids, supervisor.BOUND_S)
    assert not (tmp_path / "stack").exists()


def test_harness_killed_before_the_supervisor_is_ready_leaves_no_journal(tmp_path: Path) -> None:
    journal = tmp_path / "early.jsonl"
    command = [sys.executable, "-m", "shaketable.stack.supervisor", str(journal)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as started:
        assert started.stdout
        started.stdout.close()  # the harness is dead: nobody hears that it is ready
    assert not journal.exists()
    assert started.returncode == 0


def test_interrupt_from_the_terminal_does_not_reach_the_supervisor(tmp_path: Path) -> None:
    harness, (told, untold, guard) = start(f"test-int-{os.getpid()}", tmp_path / "stack")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(guard, number)
    assert is_alive(guard)
    end(harness)
    assert all_gone([told, untold, guard], supervisor.BOUND_S)


def test_heal_ends_what_a_killed_supervisor_could_not(tmp_path: Path) -> None:
    run_id = f"test-heal-{os.getpid()}"
    harness, (told, untold, guard) = start(run_id, tmp_path / "stack")
    os.kill(guard, signal.SIGKILL)
    end(harness)
    assert is_alive(told)
    done = subprocess.run([sys.executable, "-m", "shaketable.cli", "heal"], capture_output=True, text=True)
    assert run_id in done.stdout
    assert all_gone([told, untold], supervisor.BOUND_S)
    assert not (tmp_path / "stack").exists()


@pytest.mark.slow
def test_heal_speaks_of_this_users_runs_alone(tmp_path: Path) -> None:
    harness, pids = start(f"test-mine-{os.getpid()}", tmp_path / "mine")
    theirs = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "theirs")}
    try:
        told = [
            subprocess.run([sys.executable, "-m", "shaketable.cli", "heal"], capture_output=True, text=True, env=env)
            for env in (dict(os.environ), theirs)
        ]
        assert [("1 of your runs" in done.stdout, done.returncode) for done in told] == [(True, 0), (False, 0)]
        assert all(is_alive(pid) for pid in pids)
    finally:
        end(harness)


def test_normal_end_without_a_supervisor_leaves_nothing_either(tmp_path: Path) -> None:
    mine = supervisor.Supervisor(f"test-alone-{os.getpid()}")
    folder = mine.scratch()
    child = mine.spawn("sleep", ["sleep", "600"], env={"PATH": os.environ["PATH"]}, cwd=tmp_path, log=tmp_path / "log")
    mine._process.kill()
    mine.close()
    assert not is_alive(child.pid)
    assert not folder.exists()
    assert list(supervisor.journals().iterdir()) == []
    child.wait(30)


def test_journal_of_a_living_run_is_nobody_elses(tmp_path: Path) -> None:
    mine = supervisor.Supervisor(f"test-twice-{os.getpid()}")
    try:
        with pytest.raises(HarnessError):
            supervisor.Supervisor(f"test-twice-{os.getpid()}")
    finally:
        mine.close()


def test_normal_end_waits_until_all_is_gone(tmp_path: Path) -> None:
    harness, pids = start(f"test-close-{os.getpid()}", tmp_path / "stack")
    harness.wait(timeout=60)
    assert not any(is_alive(pid) for pid in pids)
    end(harness)


def test_process_number_of_another_boot_is_left_alone(tmp_path: Path) -> None:
    journal = tmp_path / "other.jsonl"
    process = subprocess.Popen(["sleep", "600"])
    try:
        created = psutil.Process(process.pid).create_time()
        journal.write_text(f'{{"boot":"another","pid":{process.pid},"created":{created},"name":"sleep"}}\n')
        assert supervisor.end(journal) == []
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("torn", [b"", b'{"boot":"x","pid":', b'{"boot":"x"'])
def test_torn_last_line_is_none(tmp_path: Path, torn: bytes) -> None:
    journal = tmp_path / "torn.jsonl"
    journal.write_bytes(torn)
    assert supervisor.end(journal) == []
    assert not journal.exists()


#: A harness that breaks servers which it did not start, and is killed.
BREAKER = """
import os, sys
from shaketable.stack.supervisor import Supervisor
from shaketable.stack.undo import Commands, Program, Proxies, Statements

run_id, database, redis, host, port, file = sys.argv[1:]
mine = Supervisor(run_id)
mine.action(Statements("postgresql://127.0.0.1:9/gone", ("select 1",)))  # one that does not answer hinders no other
mine.action(Statements(database, ("drop table if exists broken", "drop table if exists broken")))
mine.action(Commands(redis, (("CONFIG", "SET", "maxmemory", "0"), ("DEL", "broken"))))
mine.action(Proxies(host, int(port), run_id))
mine.action(Program(("rm", "-f", file)))
os.kill(os.getpid(), 9)
"""


def test_killed_harness_leaves_nothing_broken_in_servers_that_it_did_not_start(
    servers: Servers, tmp_path: Path
) -> None:
    toxiproxy, run_id, file = servers.stack.toxiproxy, f"test-undo-{os.getpid()}", tmp_path / "broken"
    file.touch()
    toxiproxy.create(f"{run_id}-worker-1", "127.0.0.1:0", "127.0.0.1:9")
    with (
        psycopg.connect(servers.postgres_url, autocommit=True) as database,
        redis.Redis.from_url(servers.redis_url) as valkey,
    ):
        database.execute("create table broken ()")
        valkey.config_set("maxmemory", "64mb")
        valkey.set("broken", 1)
        where = (servers.postgres_url, servers.redis_url, toxiproxy.host, str(toxiproxy.port), str(file))
        subprocess.run([sys.executable, "-c", BREAKER, run_id, *where], check=False)
        journal, died = supervisor.journals() / f"{run_id}.jsonl", time.monotonic()
        while journal.read_bytes().count(b"\n") != 1:
            assert time.monotonic() - died < supervisor.BOUND_S + undo.WITHIN_S
            time.sleep(0.02)
        assert b"127.0.0.1:9/gone" in journal.read_bytes()  # what could not be done stays, for `heal`
        journal.unlink()
        table = database.execute("select to_regclass('broken')").fetchone()
        assert (table, valkey.exists("broken"), file.exists()) == ((None,), 0, False)
        assert valkey.config_get("maxmemory") == {"maxmemory": "0"}
    assert not [name for name in toxiproxy.proxies() if name.startswith(run_id)]


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails is not tried again; what succeeds has its time."""
    monkeypatch.setattr(undo, "WITHIN_S", 60)
    monkeypatch.setattr(undo, "AGAIN_S", 60)


@pytest.mark.usefixtures("hasty")
def test_what_cannot_be_undone_is_told(tmp_path: Path) -> None:
    journal = tmp_path / "away.jsonl"
    action = Program(("no-such-program",))
    journal.write_bytes(msgspec.json.encode(supervisor.Undo(supervisor.boot_id(), action=action)) + b"\n")
    (told,) = supervisor.end(journal)
    assert "program NOT undone" in told
    assert "no-such-program" in told


@pytest.mark.usefixtures("hasty")
def test_what_cannot_be_undone_stays_in_the_journal_until_it_can(tmp_path: Path) -> None:
    journal, there, done = tmp_path / "away.jsonl", tmp_path / "there", tmp_path / "done"
    actions = [Program(("touch", str(done))), Program(("rm", str(there)))]
    lines = [msgspec.json.encode(supervisor.Undo(supervisor.boot_id(), action=action)) + b"\n" for action in actions]
    journal.write_bytes(b"".join(lines))
    assert [" NOT " in told for told in supervisor.end(journal)] == [False, True]
    assert journal.read_bytes() == lines[1]
    there.touch()
    assert supervisor.end(journal) == ["program undone"]
    assert not journal.exists()


def test_action_is_tried_again_while_there_is_time(tmp_path: Path) -> None:
    journal, late = tmp_path / "late.jsonl", tmp_path / "late"
    journal.write_bytes(
        b"".join(
            msgspec.json.encode(supervisor.Undo(supervisor.boot_id(), action=Program(words))) + b"\n"
            for words in [("rm", str(late)), ("sh", "-c", f"sleep 0.5; touch {late}")]
        )
    )
    assert supervisor.end(journal) == ["program undone"] * 2


def test_actions_that_do_not_answer_share_one_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undo, "WITHIN_S", 0.6)
    monkeypatch.setattr(undo, "ACTION_S", 0.3)
    journal = tmp_path / "deaf.jsonl"
    line = msgspec.json.encode(supervisor.Undo(supervisor.boot_id(), action=Program(("sleep", "60")))) + b"\n"
    journal.write_bytes(line * 100)
    began = time.monotonic()
    assert all(" NOT " in told for told in supervisor.end(journal))
    assert time.monotonic() - began < 20  # a busy machine; one after another they would take 30 s
    assert journal.read_bytes() == line * 100
