"""A process supervisor in small, for workers that end when their broker is unavailable: their manuals ask for one.

As Supervisor with `autorestart=true`, or systemd with `Restart=always`: what ends is started again, a second later.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from types import FrameType

#: Seconds before a program that ended is started again.
PAUSE_S = 1.0


def supervise(command: Sequence[str]) -> None:
    """Run a program for ever; SIGTERM goes to it, and is the end of both."""
    stopping = False
    child: subprocess.Popen[bytes] | None = None

    def stop(_: int, __: FrameType | None) -> None:
        nonlocal stopping
        stopping = True
        if child is not None:
            child.terminate()

    signal.signal(signal.SIGTERM, stop)
    while not stopping:
        child = subprocess.Popen(command)
        child.wait()
        if not stopping:
            print(f"ended with exit code {child.returncode}: starting it again", file=sys.stderr)
            time.sleep(PAUSE_S)
