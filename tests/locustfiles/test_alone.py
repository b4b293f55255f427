"""Locust as a person runs it, without the harness."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from shaketable.clock import SECOND
from tests.locustfiles.conftest import ROOT
from tests.support.cases import cases, nightly
from tests.support.waits import await_that as await_that  # tests/cells has it from here

Start = Callable[[str], Any]
FILES = ["ingest.py", "burst.py", "ramp.py"]


@pytest.fixture
def locust(environment: dict[str, str], tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(*arguments: str, file: str = "ingest.py") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "locust", "-f", str(ROOT / "locustfiles" / file), *arguments]
        return subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120)

    return run


@pytest.mark.slow
@pytest.mark.parametrize("file", cases(FILES, each_change=["ingest.py"]))
def test_headless_it_loads_any_target_and_says_what_became_of_it(
    environment: dict[str, str], tmp_path: Path, target: Start, file: str
) -> None:
    running = target("ok")
    asked = ("--host", running.url, "--headless", "-u", "50", "--mix", "shapes=40")
    with started(environment, tmp_path, *asked, file=file) as load:
        await_that(lambda: len(running.requests()) > 20)
        load.send_signal(signal.SIGTERM)
        said, errors = load.communicate(timeout=120)
    assert load.returncode == 0, errors
    assert re.search(r"\d+ events in \d+ attempts: \d+ acknowledged, \d+ refused, 0 indeterminate", said)
    assert "seed " in said
    assert {request["status"] for request in running.requests()} <= {202, 422}  # and 422 is no failure


@pytest.mark.slow
@pytest.mark.parametrize("file", cases(FILES, each_change=["ingest.py"]))
def test_help_lists_every_option_of_the_load(environment: dict[str, str], file: str) -> None:
    command = [sys.executable, str(ROOT / "locustfiles" / file), "--help"]
    told = subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=60).stdout
    page = (ROOT / "docs" / "load.md").read_text(encoding="utf-8")  # tests/test_docs.py holds that it is complete
    options = set(re.findall(r"^\| `(--[a-z-]+)`", page, flags=re.M))
    assert len(options) > 5
    assert options <= set(re.findall(r"^ +(--[a-z-]+) ", told, flags=re.M))
    assert "SUPPRESS" not in told  # what is not for people stays out


@pytest.mark.nightly
def test_two_runs_of_their_own_do_not_send_the_same_ids_but_those_of_one_seed_do(locust: Any, target: Start) -> None:
    running = target("ok")
    once = ("--host", running.url, "--headless", "-u", "9", "-t", "2s", "--mix", "shapes=40,resent=0,malformed=0")
    for _ in range(2):
        locust(*once)
    ids = [request["id"] for request in running.requests()]
    assert len(set(ids)) == len(ids)
    for _ in range(2):
        locust(*once, "--seed", "5")
    ids = [request["id"] for request in running.requests()][len(ids) :]
    assert len(set(ids)) < len(ids)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--rate", "-5"), "rate above 0 events a second, got -5"),
        nightly((("--mix", "salt=1"), "got 'salt=1'")),
        nightly((("--definite-refusals", "all"), "got 'all'")),
        nightly((("--request-timeout", "0"), "above 0 seconds, got 0")),
        nightly((("-u", "0"), "at least 1 user, got 0")),
        nightly((("--path", "events"), "begin with a slash")),
        nightly((("--host", "127.0.0.1:9"), "got '127.0.0.1:9'")),
        nightly((("--host", "ftp://127.0.0.1"), "got 'ftp://127.0.0.1'")),
        (("--host", "http://127.0.0.1:8o80"), "got 'http://127.0.0.1:8o80'"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(locust: Any, arguments: tuple[str, ...], why: str) -> None:
    done = locust("--host", "http://127.0.0.1:9", "--headless", *arguments)
    assert done.returncode == 254
    assert why in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.nightly
def test_a_manifest_says_what_is_sent_and_where(locust: Any, target: Start) -> None:
    running = target("201")
    done = locust("--host", running.url, *ONCE, "-t", "2s", "--target", "order-service")
    assert done.returncode == 0, done.stderr
    assert {request["path"] for request in running.requests()} == {"/orders"}
    done = locust("--headless", "--target", str(ROOT / "nobody.toml"))
    assert (done.returncode, "nobody.toml" in done.stderr) == (254, True)


@pytest.mark.nightly
def test_a_sender_needs_no_host_and_says_when_it_cannot_open(locust: Any) -> None:
    done = locust(*ONCE, "--target", "order-stream")  # no REDIS_URL
    assert (done.returncode, "Xadd in xadd.py could not open" in done.stderr) == (254, True)


@pytest.mark.slow
def test_a_host_is_asked_for(locust: Any) -> None:
    done = locust("--headless")
    assert (done.returncode, "give --host" in done.stderr) == (254, True)


@pytest.mark.slow
def test_the_web_interface_is_on_loopback_and_starts_and_stops_the_load(
    environment: dict[str, str], tmp_path: Path, target: Start, port: int
) -> None:
    running = target("ok")
    with web(environment, tmp_path, running.url, port) as process:
        assert listening(process.pid, port) == {"127.0.0.1"}
        for _ in range(2):  # a second test in the same process begins afresh
            seen = len(running.requests())
            post(port, "/swarm", b"user_count=20&spawn_rate=20&rate=100&mix=shapes%3D40")
            await_that(lambda seen=seen: len(running.requests()) > seen + 100)  # type: ignore[misc]
            post(port, "/stop", b"")


ONCE = ("--headless", "-u", "20", "--mix", "shapes=40,malformed=0")


@pytest.mark.slow
def test_a_run_that_sent_nothing_says_so_and_does_not_pass(locust: Any, target: Start) -> None:
    done = locust("--host", target("ok").url, "--headless", "-u", "50", "-r", "1", "-t", "2s", "--mix", "shapes=40")
    assert done.returncode == 254
    assert "nothing was sent" in done.stderr


@pytest.mark.slow
def test_the_path_of_a_host_is_kept(environment: dict[str, str], tmp_path: Path, target: Start) -> None:
    running = target("ok")
    with started(environment, tmp_path, "--host", f"{running.url}/api/", *ONCE) as load:
        await_that(lambda: len(running.requests()) > 20)
        load.send_signal(signal.SIGTERM)
        assert load.wait(120) == 0
    assert {request["path"] for request in running.requests()} == {"/api/events"}


@pytest.mark.slow
def test_against_a_port_where_nobody_listens_it_backs_off_and_ends(locust: Any) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        host = f"http://127.0.0.1:{probe.getsockname()[1]}"  # bound and never listening: refused
        done = locust("--host", host, *ONCE, "--rate", "50")
    assert (done.returncode, "nobody listened" in done.stderr) == (254, True)
    sent, attempts = map(int, re.findall(r"(\d+) events in (\d+) attempts", done.stdout)[0])
    assert attempts <= 2 * sent + 120  # the budget: the rate once more, and what it begins with


@pytest.mark.slow
@pytest.mark.parametrize("status", [nightly(200), 201])
def test_answers_that_the_contract_does_not_know_end_it_at_the_first(locust: Any, target: Start, status: int) -> None:
    running = target(str(status))
    done = locust("--host", running.url, *ONCE)
    assert done.returncode == 254
    assert f"answers are {status}, the contract expects 202" in done.stderr
    assert len(running.requests()) <= 20


@pytest.mark.slow
def test_another_number_of_users_while_it_runs_disturbs_nothing(
    environment: dict[str, str], tmp_path: Path, target: Start, port: int
) -> None:
    """Every event that was sent is acknowledged in the end, although users are killed in the middle of requests."""
    running, changed = target("slow"), list[int]()
    with web(environment, tmp_path, running.url, port):
        for users in (40, 4, 60, 1, 30):
            changed.append(time.monotonic_ns())
            post(port, "/swarm", b"user_count=%d&spawn_rate=20&rate=100&mix=shapes%%3D40" % users)
            seen = len(running.requests())
            await_that(lambda seen=seen: len(running.requests()) > seen + 100)  # type: ignore[misc]
        time.sleep(1)  # what waited while there was one user is sent
        post(port, "/stop", b"")
        log = (tmp_path / "web.log").read_text
        await_that(lambda: " events in " in log())
    _, attempts, acknowledged, refused, perhaps = map(
        int, re.findall(r"(\d+) events in (\d+) attempts: (\d+) \w+, (\d+) \w+, (\d+) ", log())[-1]
    )
    times = sorted(request["began"] for request in running.requests())
    gaps = [(earlier, later) for earlier, later in pairwise(times) if later - earlier > SECOND]
    after = [at for at in changed[1:] if any(earlier < at + SECOND and at < later for earlier, later in gaps)]
    assert len(after) < 3  # a busy machine may pause just then, too; were it the change, each would make one
    assert (acknowledged + refused, perhaps) == (attempts, 0)
    assert "Traceback" not in log()


@contextmanager
def started(
    env: dict[str, str], cwd: Path, *arguments: str, file: str = "ingest.py"
) -> Iterator[subprocess.Popen[str]]:
    """Locust, which goes on until it is asked to end."""
    command = [sys.executable, "-m", "locust", "-f", str(ROOT / "locustfiles" / file), *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=env, cwd=cwd, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def web(env: dict[str, str], cwd: Path, host: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    file = str(ROOT / "locustfiles" / "ingest.py")
    command = [sys.executable, "-m", "locust", "-f", file, "--host", host, "--web-port", str(port)]
    with (cwd / "web.log").open("w") as log:
        process = subprocess.Popen(command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        await_that(lambda: answers(port))
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def listening(pid: int, port: int) -> set[str]:
    import psutil

    return {
        each.laddr.ip
        for each in psutil.Process(pid).net_connections("tcp")
        if each.status == psutil.CONN_LISTEN and each.laddr.port == port
    }


def post(port: int, path: str, data: bytes) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", data, timeout=30) as answer:
        assert answer.status == 200
