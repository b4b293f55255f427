"""`python -m bench.checks [EVENTS]`: check and report on a synthetic run of a million events: seconds, memory, page.

Exit code 1 when an anomaly was missed or invented, or a figure is beyond its bound. Up to a million events: 60 s, 2 GB.
Up to ten million: 300 s, 4 GB. Always: a page of 5 MB that a browser opens in 3 s.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from math import inf
from pathlib import Path

import msgspec

from bench import opening
from bench.synthetic import Planted, write
from shaketable import rundir
from shaketable.checks.verdict import VerdictDoc
from shaketable.report.page.page import REPORT

#: What is asked of a run of at most so many events: seconds, and MB of memory.
ASKED = {1_000_000: (60.0, 2_000.0), 10_000_000: (300.0, 4_000.0)}
#: And of every page: MB, and seconds until it is drawn.
PAGE_MB, OPENS_S = 5.0, 3.0
#: Which check must count which planted anomaly.
COUNTED_BY = {
    "lost": "no_loss",
    "doubled": "no_duplicates",
    "overtaken": "order_kept",
    "altered": "content_intact",
    "refused": "nothing_invented",
    "undeserved": "dead_letters_explained",
}


class Cost(msgspec.Struct, frozen=True):
    """What judging and reporting took, and what was found of what was planted."""

    events: int
    check_s: float
    report_s: float
    cpu_s: float  # of both
    memory_mb: float  # the larger of both processes' peaks
    page_mb: float
    found: dict[str, int]
    planted: dict[str, int]
    opens_s: float | None = None  # null without a browser

    @property
    def held(self) -> bool:
        seconds, memory_mb = next((asked for most, asked in ASKED.items() if self.events <= most), (inf, inf))
        within = self.check_s + self.report_s < seconds and self.memory_mb < memory_mb
        return within and self.page_mb < PAGE_MB and (self.opens_s or 0) < OPENS_S and self.found == self.planted


def measure(folder: Path, size: int) -> Cost:
    """Write the run, judge it and write its page, each in a process of its own."""
    run = write(folder, size)
    check_s, check_cpu_s, check_mb = _timed("check", folder)
    report_s, report_cpu_s, report_mb = _timed("report", folder)
    doc = msgspec.json.decode((run / rundir.VERDICT).read_bytes(), type=VerdictDoc)
    found = {name: int(doc.checks[check].counts.get(name, -1)) for name, check in COUNTED_BY.items()}
    page_mb = (run / REPORT).stat().st_size / 1e6
    cpu_s, memory_mb = round(check_cpu_s + report_cpu_s, 1), max(check_mb, report_mb)
    return Cost(size, check_s, report_s, cpu_s, memory_mb, round(page_mb, 2), found, Planted()._asdict())


def _timed(command: str, folder: Path) -> tuple[float, float, float]:
    """Seconds of wall time and of CPU, and the peak of resident memory in MB."""
    began = time.monotonic()
    child = subprocess.Popen([sys.executable, "-m", "shaketable.cli", command, str(folder)], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 1):
        raise RuntimeError(f"shaketable {command} ended with {child.returncode} on a synthetic run")
    cpu_s = usage.ru_utime + usage.ru_stime
    return round(time.monotonic() - began, 1), cpu_s, round(usage.ru_maxrss / 1000, 1)


def main() -> int:
    """Measure and tell."""
    parser = argparse.ArgumentParser("python -m bench.checks", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("events", type=int, nargs="?", default=1_000_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="shaketable-synthetic-") as folder:
        cost = measure(Path(folder), asked.events)
        cost = msgspec.structs.replace(cost, opens_s=opening.seconds(Path(folder) / REPORT))
    print(msgspec.json.format(msgspec.json.encode(cost)).decode())
    return 0 if cost.held else 1


if __name__ == "__main__":
    sys.exit(main())
