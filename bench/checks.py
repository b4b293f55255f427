"""`python -m bench.checks [EVENTS]`: check and report on a synthetic run of a million events: seconds, memory, page.

Exit code 1 when an anomaly was missed or invented, or a figure is beyond its bound: 60 s, 2 GB, 5 MB.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from bench.synthetic import Planted, write
from shaketable import rundir
from shaketable.checks.verdict import VerdictDoc
from shaketable.report.page.page import REPORT

#: What is asked for a million events.
SECONDS, MEMORY_MB, PAGE_MB = 60.0, 2_000.0, 5.0
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
    memory_mb: float  # the larger of both processes' peaks
    page_mb: float
    found: dict[str, int]
    planted: dict[str, int]

    @property
    def held(self) -> bool:
        within = self.check_s + self.report_s < SECONDS and self.memory_mb < MEMORY_MB and self.page_mb < PAGE_MB
        return within and self.found == self.planted


def measure(folder: Path, size: int) -> Cost:
    """Write the run, judge it and write its page, each in a process of its own."""
    run = write(folder, size)
    check_s, check_mb = _timed("check", folder)
    report_s, report_mb = _timed("report", folder)
    doc = msgspec.json.decode((run / rundir.VERDICT).read_bytes(), type=VerdictDoc)
    found = {name: int(doc.checks[check].counts.get(name, -1)) for name, check in COUNTED_BY.items()}
    page_mb = (run / REPORT).stat().st_size / 1e6
    return Cost(size, check_s, report_s, max(check_mb, report_mb), round(page_mb, 2), found, Planted()._asdict())


def _timed(command: str, folder: Path) -> tuple[float, float]:
    """Seconds of wall time, and the peak of resident memory in MB."""
    began = time.monotonic()
    child = subprocess.Popen([sys.executable, "-m", "shaketable.cli", command, str(folder)], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 1):
        raise RuntimeError(f"shaketable {command} ended with {child.returncode} on a synthetic run")
    return round(time.monotonic() - began, 1), round(usage.ru_maxrss / 1000, 1)


def main() -> int:
    """Measure and tell."""
    parser = argparse.ArgumentParser("python -m bench.checks", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("events", type=int, nargs="?", default=1_000_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="shaketable-synthetic-") as folder:
        cost = measure(Path(folder), asked.events)
    print(msgspec.json.format(msgspec.json.encode(cost)).decode())
    return 0 if cost.held else 1


if __name__ == "__main__":
    sys.exit(main())
