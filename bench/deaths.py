"""Deaths: harnesses that die in many ways and instants, and what they leave on the machine. `python -m bench.deaths`.

What is counted belongs to the whole machine: run it where nothing else starts and ends servers, such as below
`unshare --ipc --pid --net --mount-proc --fork sh -c 'ip link set lo up; mount -t tmpfs tmpfs /dev/shm; …; exit $?'`.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import msgspec
import psutil

from bench.life import INSTANTS
from bench.stage import ROOT, say
from shaketable.errors import ShaketableError
from shaketable.stack import ports
from shaketable.stack.supervisor import BOUND_S

#: Ways to die, and how often each is drawn: by itself in an instant, or by a signal at a random time.
WAYS = {
    **dict.fromkeys(INSTANTS, 2),
    "database-killed": 1,
    "database-killed-twice": 1,
    "none": 1,
    "SIGKILL": 5,
    "SIGINT": 2,
    "SIGTERM": 2,
    "supervisor": 1,
    "supervisor+SIGKILL": 2,
}
#: The most that an instant is passed before it kills; one that is passed less often ends by itself.
PASSES = 8
#: Seconds within which a signal comes: a life takes as long on 2 idle cores.
SIGNAL_S = 4.0


class Left(msgspec.Struct, frozen=True):
    """What is there that was not before."""

    processes: tuple[str, ...]
    segments: tuple[str, ...]  # System V shared memory
    files: tuple[str, ...]  # in /dev/shm
    folders: tuple[str, ...]
    journals: tuple[str, ...]
    ports: tuple[int, ...]

    def __bool__(self) -> bool:
        return any(msgspec.structs.astuple(self))

    def __str__(self) -> str:
        counts = {name: len(getattr(self, name)) for name in self.__struct_fields__}
        return ", ".join(f"{count} {name}" for name, count in counts.items())


class Deaths:
    """Many lives in a temporary folder of their own."""

    def __init__(self, folder: Path, dice: random.Random, signal_s: float) -> None:
        self._folder, self._dice, self._signal_s = folder, dice, signal_s
        folder.chmod(0o711)  # Postgres's user must pass through
        self._env = {**os.environ, "TMPDIR": str(folder), "XDG_STATE_HOME": str(folder / "state")}
        self._before = (set(_segments()), set(_files()))
        self.bases: set[int] = set()
        self.ways = Counter[str]()

    def die(self, number: int) -> None:
        """One life, to its end; those whose supervisor lives leave nothing within its time."""
        way = self._dice.choices(list(WAYS), list(WAYS.values()))[0]
        self.ways[way] += 1
        run_id, logs = f"death{number}", self._folder / f"logs-{number}"
        logs.mkdir()
        words = [sys.executable, "-m", "bench.life", run_id, str(logs), way, str(self._dice.randint(1, PASSES))]
        at = self._dice.uniform(0, self._signal_s)
        with (
            (logs / "life.log").open("w", encoding="utf-8") as said,
            subprocess.Popen(
                words, env=self._env, cwd=ROOT, stdout=subprocess.PIPE, stderr=said, encoding="utf-8"
            ) as life,
        ):
            if "SIG" in way or "supervisor" in way:
                time.sleep(at)
                for victim in way.split("+"):
                    self._signal(life, run_id, victim)
            assert life.stdout
            if told := life.stdout.readline().split():
                self.bases.add(int(told[0]))
        if life.returncode == 1 and "SIG" not in way:
            say(f"{run_id} ({way}) failed: {(logs / 'life.log').read_text(encoding='utf-8')[-300:]}")
        if not way.startswith("supervisor"):
            self._await(run_id)

    def _signal(self, life: subprocess.Popen[str], run_id: str, victim: str) -> None:
        if victim == "supervisor":
            for child in _children(life.pid):
                with suppress(psutil.Error):
                    if child.cmdline()[-1].endswith(f"{run_id}.jsonl"):
                        child.kill()
        else:
            life.send_signal(getattr(signal, victim))

    def _await(self, run_id: str) -> None:
        deadline = time.monotonic() + 4 * BOUND_S  # many at once on few cores
        while self._journals(f"{run_id}.jsonl") and time.monotonic() < deadline:
            time.sleep(0.05)
        if self._journals(f"{run_id}.jsonl"):
            say(f"{run_id}: its journal is still there")

    def _journals(self, name: str) -> list[str]:
        return [str(path) for path in (self._folder / "state").rglob(name)]

    def heal(self) -> str:
        """Heal what nobody was left to end; what that said."""
        done = subprocess.run(
            [sys.executable, "-m", "shaketable.cli", "heal"],
            env=self._env,
            cwd=ROOT,
            check=False,
            capture_output=True,
            encoding="utf-8",
        )
        return done.stdout

    def left(self) -> Left:
        """What all of them left."""
        return Left(
            tuple(self._processes()),
            tuple(set(_segments()) - self._before[0]),
            tuple(set(_files()) - self._before[1]),
            tuple(str(path) for path in self._folder.glob("shaketable-*")),
            tuple(self._journals("*.jsonl")),
            tuple(base for base in self.bases if not _is_free(base)),
        )

    def _processes(self) -> list[str]:
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                told = f"{process.pid} {' '.join(process.cmdline())} {process.cwd()}"
                if process.status() != psutil.STATUS_ZOMBIE and str(self._folder) in told:
                    found.append(told)
        return found


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children()
    except psutil.NoSuchProcess:
        return []


def _segments() -> list[str]:
    """Segments of shared memory that no process uses."""
    rows = [line.split() for line in Path("/proc/sysvipc/shm").read_text(encoding="utf-8").splitlines()[1:]]
    return [row[1] for row in rows if row[6] == "0"]


def _files() -> list[str]:
    return [path.name for path in Path("/dev/shm").iterdir()]


def _is_free(base: int) -> bool:
    try:
        with ports.reserve(base):
            return True
    except ShaketableError:
        return False


def run(count: int, at_once: int, seed: int, signal_s: float = SIGNAL_S) -> Left:
    """So many deaths, and what they left; says both."""
    with tempfile.TemporaryDirectory(prefix="shaketable-deaths-") as folder:
        deaths = Deaths(Path(folder), random.Random(seed), signal_s)
        began = time.monotonic()
        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(deaths.die, range(count)))
        healed = deaths.heal().count("ended")
        left = deaths.left()
    ways = ", ".join(f"{name} {number}" for name, number in sorted(deaths.ways.items()))
    say(f"{count} deaths in {time.monotonic() - began:.0f} s, seed {seed}: {ways}")
    say(f"{len(deaths.bases)} of them with all servers up; left: {left}; {healed} processes were left to heal")
    return left


def main() -> None:
    """Exit with 1 when anything was left."""
    parser = argparse.ArgumentParser(prog="python -m bench.deaths", description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=500)
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--signal-within", type=float, default=SIGNAL_S, metavar="SECONDS")
    given = parser.parse_args()
    left = run(given.count, given.at_once, given.seed, given.signal_within)
    for each in (each for found in msgspec.structs.astuple(left) for each in found):
        say(f"  {each}")
    sys.exit(bool(left))


if __name__ == "__main__":
    main()
