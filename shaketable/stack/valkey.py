"""A Valkey server of the local stack: every write is durable; loopback only; random password."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

import redis

from shaketable.clock import Clock, SystemClock
from shaketable.stack.disk_shim.disk import Disk
from shaketable.stack.process import Child, Spawn, await_answer, environment
from shaketable.stack.stack import Address


class ValkeyServer:
    """A server in `folder`, at `port`; `start` may be called again after a crash."""

    def __init__(self, program: Path, folder: Path, port: int, log: Path, spawn: Spawn) -> None:
        self._program, self._folder, self._log, self._spawn = program, folder, log, spawn
        self._env = environment(folder)
        self.address = Address("127.0.0.1", port)
        self.password = secrets.token_urlsafe(18)
        self.child: Child | None = None
        self.settings: Mapping[str, str] = {}  # beyond the configuration's, or in place of them
        self.disk: Disk | None = None  # None: the machine's own

    def create(self) -> None:
        """Write the configuration to a file, since all users can read a command line."""
        self._folder.mkdir(mode=0o700)
        file = self._folder / "valkey.conf"
        file.touch(mode=0o600)
        more = "".join(f'{name} "{value}"\n' for name, value in self.settings.items())  # the last one counts
        file.write_text(configuration(self.address.port, self.password) + more, encoding="utf-8")

    def start(self, clock: Clock | None = None) -> Child:
        """Start the server and wait until it answers. Raises HarnessError with its last log lines when it does not."""
        env = {**self._env, **(self.disk.environment if self.disk else {})}
        self.child = self._spawn(
            "valkey", [str(self._program), "valkey.conf"], env=env, cwd=self._folder, log=self._log
        )
        if self.disk:
            self.disk.child = self.child
        await_answer(self.child, self._answers, clock or SystemClock())
        return self.child

    def replace(self) -> None:
        """Kill it, remove its data, and start it empty. Raises HarnessError when it does not answer."""
        self.stop()
        shutil.rmtree(self._folder / "appendonlydir", ignore_errors=True)
        if self.disk:
            self.disk.settle()  # another file may get the inode of a removed one
        self.start()

    def stop(self) -> None:
        """Kill it: its data are not needed."""
        if self.child is not None:
            self.child.kill()

    def url(self, at: Address) -> str:
        """A Redis URL to this server at the address `at`."""
        return f"redis://:{self.password}@{at}/0"

    def _answers(self) -> bool:
        return answers(self.url(self.address))


def configuration(port: int, password: str) -> str:
    """The configuration: loopback only, every write durable."""
    return (
        f"bind 127.0.0.1\nport {port}\nprotected-mode yes\nrequirepass {password}\n"
        'dir "."\nappendonly yes\nappendfsync always\nsave ""\nmaxmemory-policy noeviction\n'
    )


def answers(at: str) -> bool:
    """Whether a server answers at this URL."""
    try:
        with redis.Redis.from_url(at, socket_timeout=2) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False
