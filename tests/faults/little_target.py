"""Real processes for the faults on them: a little target that answers over HTTP, and how it is looked at."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import httpx
import psutil

from shaketable.faults.context import RunContext
from shaketable.faults.fault import Fault, Witness
from shaketable.stack.process import Running
from shaketable.stack.stack import Address, Link
from shaketable.target.ingest_table import Ingest
from shaketable.target.manifest import Manifest, Process
from shaketable.target.source_tables import Stored
from shaketable.target.target import Target
from tests.conftest import Servers

#: Answers on its port, holds a transaction, has a child; with STUBBORN in its state it does not heed SIGTERM.
SCRIPT = """
import os, pathlib, signal, subprocess, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer
import psycopg
name = os.environ["PROCESS"] + "." + os.environ["INCARNATION"]
held = psycopg.connect(os.environ["DATABASE_URL"], application_name=name)
held.execute("select 1")
subprocess.Popen(["sleep", "600"])
if (pathlib.Path(os.environ["STATE_DIR"]) / "stubborn").exists():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()
        for _ in range(100000): pass
    def log_message(self, *_): pass
HTTPServer(("127.0.0.1", int(os.environ["HTTP_PORT"])), Answer).serve_forever()
"""
KIND = Process("worker", (sys.executable, "-c", SCRIPT), count=2, health="/", ready_s=30, stop_s=0.5)
MANIFEST = Manifest(1, "tested", Ingest("worker"), (KIND,), Stored("select 1"))


class Here:
    """A stack whose database is this test's own and that has no proxies."""

    def __init__(self, servers: Servers) -> None:
        self._servers, self.links, self.ports = servers, list[Link](), list[int]()
        self.toxiproxy, self.sink_host = servers.stack.toxiproxy, servers.stack.sink_host
        self.services, self.own, self.need = servers.stack.services, servers.stack.own, servers.stack.need

    def admin_url(self) -> str:
        return self._servers.superuser_url

    def database_url(self, link: Link, application_name: str) -> str:
        return self._servers.postgres_url

    def redis_link_url(self, link: Link) -> str:
        return self._servers.redis_url

    def add_link(self, process: str, service: str, upstream: Address | None = None) -> Link:
        return Link(process, service, upstream or Address("127.0.0.1", 1), Address("127.0.0.1", 1))

    def take_port(self) -> int:
        self.ports.append(self._servers.stack.take_port())
        return self.ports[-1]

    def launch(self, name: str, command: list[str], env: dict[str, str], cwd: Path, log: Path) -> Running:
        return self._servers.stack.launch(name, command, env, cwd, log)

    def give_back(self) -> None:
        for port in self.ports:
            self._servers.stack._ports.give_back(port)


def tree(target: Target, name: str) -> list[psutil.Process]:
    child = target.instances[name].child
    assert child is not None
    return child.tree()


def answers(target: Target, name: str, within_s: float = 20) -> bool:
    """Whether it answers; who is gone refuses at once, and only who is frozen lets one wait."""
    try:
        httpx.get(target.instances[name].health_url or "", timeout=within_s, trust_env=False)
    except httpx.HTTPError:
        return False
    return True


def landed(fault: Fault, context: RunContext) -> Witness:
    """Its witness, once it has landed: some take a while."""
    deadline = time.monotonic() + 60
    while not (seen := fault.witness(context)).landed and time.monotonic() < deadline:
        time.sleep(0.02)
    return seen


def all_gone(processes: list[psutil.Process]) -> bool:
    """Whether none is left, or soon will be: the leader goes first."""
    deadline = time.monotonic() + 30
    while not _all_gone(processes) and time.monotonic() < deadline:
        time.sleep(0.01)
    return _all_gone(processes)


def _all_gone(processes: list[psutil.Process]) -> bool:
    return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)
