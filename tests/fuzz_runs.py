"""`check`, `report`, `diff` and `compare` on damaged run directories: `python -m tests.fuzz_runs --count 800 --seed 1`.

Each command runs in a forked process, whose exit code, output, time and memory are judged; a file outside the run
directory, to which links in it lead, must stay as it is. `--run RUN_DIR` damages real runs too.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from shaketable import rundir
from shaketable.checks.verdict import judge_run
from shaketable.cli.check import check_run as check
from shaketable.cli.diff import diff
from shaketable.cli.explain import explain_event
from shaketable.cli.guard import guarded
from shaketable.cli.report import report
from shaketable.compare import comparison, player
from shaketable.rundir import RunDir
from shaketable.runner import phases as runs
from shaketable.runner.order import Order
from tests.support import damage
from tests.support.book import Part
from tests.support.histories import dead, exited, poisoned, queued, received, run_of, started, sunk
from tests.support.shown import whole, wrong

#: Seconds of CPU and bytes that one command may take, and seconds until one that waits for something is ended.
SECONDS, MEMORY, WAITS = 10, 500 << 20, 60
ENDS = {0, 1, 2, 254}
#: What `diff` and `compare` read of a judged run.
READ_BY_ALL = (rundir.VERDICT, rundir.ENVIRONMENT, comparison.CELL, comparison.FILE)
SECRET = "a file of the reader's\n"
SCENARIO = """
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario
SCENARIO = Scenario(story="Nothing goes wrong.", load=Load(rate=5, baseline_s=1, shake_s=1, recover_s=1))
"""
MANIFEST = """
contract = 1
name = "NAME"
ingest = { process = "all" }
process = [{ name = "all", command = ["true"] }]
stored = { sql = "select 1" }
"""


class Ended(NamedTuple):
    """How one command ended on one damaged directory."""

    what: str
    code: int  # negative: by that signal
    said: str
    seconds: float  # of CPU: others on the machine count for nothing
    memory: int
    intact: bool  # the file outside

    @property
    def wrong(self) -> str:
        """What is wrong with it; "" when nothing is."""
        if "Traceback" in self.said or self.code not in ENDS:
            return f"code {self.code}: {self.said[-600:]}"
        if self.code == 254 and not _in_a_sentence(self.said):
            return f"not in a sentence: {self.said[-600:]}"
        if self.seconds > SECONDS or self.memory > MEMORY:
            return f"{self.seconds:.1f} s, {self.memory >> 20} MiB"
        return "" if self.intact else "a file outside was written"


def _in_a_sentence(said: str) -> bool:
    lines = [line for line in said.splitlines() if line.startswith("shaketable: ")]
    return len(lines) == 1 and said.endswith(lines[0] + "\n")


def rich() -> list[Part]:
    """What a run has that is not in every one."""
    return [
        dead("e88"),
        queued(1),
        poisoned("e7"),
        started("worker-1"),
        exited("worker-1", 40),
        sunk("worker-1", 21, 30),
        received("worker-1.1", 1, 5, 9),
    ]


class Fuzz:
    """Sane directories in `folder`, and what becomes of copies of them."""

    def __init__(self, folder: Path, real: list[Path]) -> None:
        self._folder, self._outside = folder, folder / "outside"
        self._outside.write_text(SECRET)
        self._sane = [
            self._literal("whole", *whole(), *rich()),
            self._literal("wrong", *wrong("a", "b"), *rich()),
            *real,
        ]
        for path in self._sane:
            judge_run(RunDir(path))
        self._compared = self._comparison()

    def _literal(self, name: str, *parts: Part) -> Path:
        (self._folder / name).mkdir()
        run = run_of(parts, self._folder / name)
        rundir.write_json(run / rundir.ENVIRONMENT, {"cpus": 2, "packages": {"x": "1"}})
        return run.path

    def _comparison(self) -> Path:
        """Two targets under one scenario; who plays it writes what a literal run holds."""
        (self._folder / "brief.py").write_text(SCENARIO)
        for name in ("a", "b"):
            (self._folder / f"{name}.toml").write_text(MANIFEST.replace("NAME", name))
        runs.run = self._play
        assert player.compare(self._options(self._folder / "compared")) == 0
        return self._folder / "compared"

    def _play(self, order: Order, reporter: object) -> RunDir:
        made = rundir.create(order.runs, order.scenario.name, order.target.stem)
        shutil.copytree(self._sane[0], made.path, dirs_exist_ok=True)
        return made

    def _options(self, folder: Path) -> player.CompareOptions:
        targets = [str(self._folder / f"{name}.toml") for name in ("a", "b")]
        return player.CompareOptions(targets, [str(self._folder / "brief.py")], folder=folder)

    def mutants(self, count: int, seed: int) -> Iterator[Ended]:
        """Every file in every way, in an order drawn from the seed; `count` of them."""
        draw = random.Random(seed)
        for number in range(count):
            if number % 4 == 3:
                yield self._mutant(self._compared, draw, self._comparing)
            else:
                yield from self._run_mutant(draw.choice(self._sane), draw)

    def _run_mutant(self, sane: Path, draw: random.Random) -> Iterator[Ended]:
        commands: dict[str, Callable[[Path], int]] = {
            "check": check,
            "report": report,
            "diff": lambda path: diff(path, sane),
            "explain": lambda path: explain_event(path, "e1"),
        }
        name = draw.choice(list(commands))
        yield self._mutant(sane, draw, commands[name], name)

    def _comparing(self, path: Path) -> int:
        return player.compare(self._options(path))

    def _mutant(self, sane: Path, draw: random.Random, command: Callable[[Path], int], name: str = "compare") -> Ended:
        copy = self._folder / "mutant"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(sane, copy, symlinks=True)
        files = sorted(path for path in copy.rglob("*") if path.is_file() and not path.is_symlink())
        if name in ("diff", "compare") and draw.random() < 0.7:
            files = [path for path in files if path.name in READ_BY_ALL]
        file = draw.choice(files)
        kind = draw.choice(damage.KINDS)
        kind(file, draw)
        for trap in ("report.html", "report.html.part", "verdict.json.part", "compare.html", "compare.html.part"):
            if not os.path.lexists(copy / trap):
                (copy / trap).symlink_to(self._outside)
        what = f"{name} {sane.name}/{file.relative_to(copy)} {kind.__name__}"
        code, said, seconds, memory = self._forked(lambda: command(copy))
        return Ended(what, code, said, seconds, memory, self._outside.read_text() == SECRET)

    def _forked(self, command: Callable[[], int]) -> tuple[int, str, float, int]:
        """Exit code, output, seconds of CPU and peak memory of the command in a process of its own."""
        said = self._folder / "said"
        sys.stdout.flush()
        if (pid := os.fork()) == 0:
            _become(command, said)
        _, status, used = os.wait4(pid, 0)
        code = os.waitstatus_to_exitcode(status)
        return code, said.read_text(errors="replace"), used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


def _become(command: Callable[[], int], said: Path) -> None:
    """The forked process: it ends by itself, at the latest by its alarm."""
    code = 255
    try:
        out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(out, 1)
        os.dup2(out, 2)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(WAITS)
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS + 5, SECONDS + 5))
        now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + 2 * MEMORY, now + 2 * MEMORY))
        code = guarded(command)
        sys.stdout.flush()
    finally:
        os._exit(code)


def main() -> int:
    """Count what is wrong, and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--run", type=Path, action="append", default=[], help="a real run directory, judged already")
    parser.add_argument("--verbose", action="store_true", help="tell every mutant's end")
    asked = parser.parse_args()
    codes: Counter[int] = Counter()
    wrong, slowest, largest = 0, 0.0, 0
    with tempfile.TemporaryDirectory(prefix="damaged-runs-") as name:
        for ended in Fuzz(Path(name).resolve(), asked.run).mutants(asked.count, asked.seed):
            codes[ended.code] += 1
            slowest, largest = max(slowest, ended.seconds), max(largest, ended.memory)
            if asked.verbose:
                print(f"{ended.what}: {ended.code}, {ended.seconds:.1f} s, {ended.said[-300:]!r}", flush=True)
            if ended.wrong:
                wrong += 1
                print(f"WRONG {ended.what}: {ended.wrong}", flush=True)
    told = ", ".join(f"{count} ended with {code}" for code, count in sorted(codes.items()))
    print(f"{asked.count} mutants, {wrong} wrong; {told}; at most {slowest:.1f} s and {largest >> 20} MiB")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
