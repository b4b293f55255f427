"""Harnesses that die in many ways and instants leave nothing on the machine."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.runner.test_phases import ROOT
from tests.support.cases import nightly

#: Where root may, the counts are of a machine of their own: nobody else's servers are in them.
ALONE = [
    "unshare",
    "--ipc",
    "--pid",
    "--net",
    "--mount-proc",
    "--fork",
    "sh",
    "-c",
    'ip link set lo up && mount -t tmpfs tmpfs /dev/shm && "$@"; exit $?',
    "sh",
]


def alone() -> list[str]:
    allowed = os.geteuid() == 0 and subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode == 0
    return ALONE if allowed else []


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.timeout(600)  # a life takes a second or two, on few cores more
@pytest.mark.parametrize("deaths", [6, nightly(30)])
def test_deaths_leave_no_process_no_shared_memory_no_folder_and_no_port(deaths: int) -> None:
    done = subprocess.run(
        [*alone(), sys.executable, "-m", "bench.deaths", f"{deaths}", "--seed", "1"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
