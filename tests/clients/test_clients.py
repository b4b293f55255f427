"""Real HTTP clients, each with its defaults: good events are taken by every intake of this repository."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest

from tests.cli.test_cli import ROOT
from tests.conftest import Servers
from tests.reference_impl.conftest import wire
from tests.support.cases import cases

HERE = Path(__file__).parent
STARTER = ROOT / "shaketable" / "starter" / "processor.py"
ALTERNATIVE = "from alternatives.common import intake; intake.serve(lambda event: None)"
BULLMQ = (
    f"import {{ serve }} from {str(ROOT / 'alternatives' / 'bullmq' / 'intake.js')!r}; serve({{ enqueue() {{}} }});"
)
INTAKES = {
    "reference": [sys.executable, "-m", "reference_impl", "ingest"],
    "starter": [sys.executable, str(STARTER), "intake"],
    "alternatives": [sys.executable, "-c", ALTERNATIVE],
    "bullmq": ["node", "--input-type=module", "-e", BULLMQ],
}
#: Events of these sizes: curl asks for leave to send the last (Expect: 100-continue).
SIZES = {"an event": 1, "of 60 KB": 60_000}


@pytest.fixture(scope="module", params=INTAKES)
def intake(request: pytest.FixtureRequest, stack: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where one of them answers."""
    command = INTAKES[request.param]
    if not shutil.which(command[0]):
        pytest.skip(f"no {command[0]} on PATH: {request.param} cannot be tried")
    port = Servers(stack).stack.take_port()
    given = {
        "REDIS_URL": stack.redis_url(),
        "HTTP_PORT": f"{port}",
        "ENQUEUE_TIMEOUT_S": "20",
        "PATH": "/usr/bin:/bin:/usr/local/bin",
        "PYTHONPATH": str(ROOT),
        "STATE_DIR": str(tmp_path_factory.mktemp("state")),
    }
    with subprocess.Popen(
        [shutil.which(command[0]) or "", *command[1:]], env=given, stderr=subprocess.DEVNULL
    ) as child:
        url = f"http://127.0.0.1:{port}"
        try:
            await_answer(f"{url}/health")
            yield url
        finally:
            child.kill()


def await_answer(url: str) -> None:
    for _ in range(200):
        try:
            httpx.get(url, trust_env=False)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"no answer of {url}")


def curl(*switches: str) -> Callable[[Path, str], list[str]]:
    def command(body: Path, url: str) -> list[str]:
        one = ["-sS", *switches, "-H", "Content-Type: application/json; charset=UTF-8", "--data-binary", f"@{body}"]
        one += ["-o", "/dev/null", "-w", "%{http_code}\\n", url]
        return ["curl", *one, "--next", *one, "--next", *one]

    return command


COMMANDS: dict[str, Callable[[Path, str], list[str]]] = {
    "Java": lambda body, url: ["java", str(HERE / "Post.java"), str(body), url],
    "Go": lambda body, url: ["go", "run", "-trimpath", str(HERE / "post.go"), str(body), url],
    "Node": lambda body, url: ["node", str(HERE / "post.mjs"), str(body), url],
    "curl": curl(),
    "curl --http1.0": curl("--http1.0"),
    "curl --http1.1": curl("--http1.1"),
    "curl --http2": curl("--http2"),
    "curl --http0.9": curl("--http0.9"),
    "curl, asking first": curl("-H", "Expect: 100-continue"),
    "curl, in chunks": curl("-H", "Transfer-Encoding: chunked"),
    "curl --http2, in chunks": curl("--http2", "-H", "Transfer-Encoding: chunked"),
}


def posted(command: list[str]) -> list[str]:
    """The statuses that a client prints."""
    if not shutil.which(command[0]):
        pytest.skip(f"no {command[0]} on PATH: NOT TESTED with that client")
    # Go finds its library compiled if it is built as for Toxiproxy, with -trimpath too: that takes a minute.
    done = subprocess.run(command, capture_output=True, text=True, timeout=170, env={**os.environ, "CGO_ENABLED": "0"})
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.slow
@pytest.mark.parametrize("client", COMMANDS)
@pytest.mark.parametrize("intake", cases(list(INTAKES), each_change=["reference"]), indirect=True)
def test_a_good_event_is_taken_and_the_connection_is_usable_afterwards(
    intake: str, client: str, tmp_path: Path
) -> None:
    for size in SIZES.values():
        (tmp_path / "event").write_bytes(wire(note="x" * size))
        assert posted(COMMANDS[client](tmp_path / "event", f"{intake}/events")) == ["202"] * 3


@pytest.mark.slow
@pytest.mark.parametrize("intake", ["reference"], indirect=True)
@pytest.mark.parametrize("client", cases(list(COMMANDS), each_change=["curl"]))
def test_a_batch_is_taken(intake: str, client: str, tmp_path: Path) -> None:
    (tmp_path / "batch").write_bytes(b"\n".join(wire(note="x" * 300) for _ in range(5000)))  # curl asks first
    assert posted(COMMANDS[client](tmp_path / "batch", f"{intake}/events/batch")) == ["207"] * 3


@pytest.mark.slow
@pytest.mark.parametrize("intake", ["reference"], indirect=True)
def test_http2_without_negotiation_is_told_to_come_by_http1(intake: str, tmp_path: Path) -> None:
    (tmp_path / "event").write_bytes(wire())
    command = curl("--http2-prior-knowledge")(tmp_path / "event", f"{intake}/events")
    assert posted(command[: command.index("--next")]) == ["202"]


@pytest.mark.slow
def test_httpx_takes_its_connection_again(intake: str) -> None:
    with httpx.Client(trust_env=False, timeout=60) as client:
        for _ in range(3):
            assert client.post(f"{intake}/events", content=wire()).status_code == 202
            assert client.post(f"{intake}/events", content=iter([wire()])).status_code == 202  # in chunks


def test_aiohttp_takes_its_connection_again(intake: str) -> None:
    async def whole() -> list[int]:
        async with aiohttp.ClientSession() as client:
            headers, body, told = {"Content-Type": "application/json"}, wire(), []
            for _ in range(3):
                async with client.post(f"{intake}/events", data=body, headers=headers) as answer:
                    await answer.read()  # its connection is free only then
                told.append(answer.status)
            return told

    assert asyncio.run(whole()) == [202] * 3


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_nginx_may_stand_in_front(intake: str, stack: Any, tmp_path: Path, version: str) -> None:
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if not nginx:
        pytest.skip("no nginx here: NOT TESTED behind it")
    port = stack.take_port()
    (tmp_path / "nginx.conf").write_text(
        f"daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error.log; events {{}} http {{ access_log off;"
        " client_body_buffer_size 1m;"
        f" client_body_temp_path {tmp_path}/body; proxy_temp_path {tmp_path}/proxy; fastcgi_temp_path {tmp_path}/f;"
        f" uwsgi_temp_path {tmp_path}/u; scgi_temp_path {tmp_path}/s; server {{ listen 127.0.0.1:{port};"
        f" location / {{ proxy_pass {intake}; proxy_http_version {version}; }} }} }}"
    )
    with subprocess.Popen([nginx, "-c", tmp_path / "nginx.conf", "-e", tmp_path / "start.log"]) as child:
        try:
            await_answer(f"http://127.0.0.1:{port}/health")
            with httpx.Client(trust_env=False, timeout=60) as client:
                for size in (1, 60_000):
                    answer = client.post(f"http://127.0.0.1:{port}/events", content=wire(note="x" * size))
                    assert answer.status_code == 202, answer.text
        finally:
            child.terminate()
