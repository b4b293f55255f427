"""Toxiproxy as a child process of the run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from shaketable.clock import SystemClock
from shaketable.errors import HarnessError
from shaketable.stack import binaries
from shaketable.stack.process import Child, Spawn, await_answer, environment
from shaketable.stack.stack import Address
from shaketable.stack.toxiproxy import build
from shaketable.stack.toxiproxy.repair import RepairingToxiproxy


def start(
    at: Address, folder: Path, log: Path, spawn: Spawn, opened: ExitStack, say: Callable[[str], None]
) -> RepairingToxiproxy:
    """Start Toxiproxy and wait until it answers; it ends with `opened`."""
    program = binaries.toxiproxy_server(say)
    command = [str(program), "-host", at.host, "-port", str(at.port)]
    env = environment(folder, LOG_LEVEL="warn")
    children: list[Child] = []

    def end() -> None:
        for earlier in children:
            earlier.kill()

    def begin() -> None:
        """Start it, or replace a wedged one."""
        end()
        child = spawn("toxiproxy", command, env=env, cwd=folder, log=log)
        children[:] = [child]
        await_answer(child, lambda: answers(server), SystemClock())

    opened.callback(end)
    server = RepairingToxiproxy(at.host, at.port, begin)
    begin()
    return asserted(server, str(program))


def asserted(server: RepairingToxiproxy, source: str) -> RepairingToxiproxy:
    """Return the server if it has the expected version. Raises HarnessError otherwise."""
    if (version := server.version()) != build.VERSION:
        raise HarnessError(f"expected Toxiproxy {build.VERSION}, got {version} from {source}")
    return server


def answers(server: RepairingToxiproxy) -> bool:
    """Whether the server answers."""
    try:
        return bool(server.version())
    except HarnessError:
        return False
