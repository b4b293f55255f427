"""libfaketime, from the wheel of the extra `clock`, tried once before anything is started."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from shaketable.errors import NotPlayable
from shaketable.stack import preload
from shaketable.stack.process import environment

#: The package that contains it, and its path there.
PACKAGE, WITHIN = "libfaketime", Path("vendor", "libfaketime", "src", "libfaketime.so.1")
#: CLOCK_MONOTONIC stays right, and so do waits on it: without the last line they would end at once, and Python's
#: threads would spin for the GIL. The clock's file is read again in each new second, and file times stay as they are.
SETTINGS = {
    "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    "DONT_FAKE_MONOTONIC": "1",  # the same in versions before 0.9.10
    "NO_FAKE_STAT": "1",
    "FAKETIME_CACHE_DURATION": "0",
    "FAKETIME_FORCE_MONOTONIC_FIX": "0",
}

_AHEAD_S, _TOLERANCE_S, _TRY_S = 86_400, 30, 30
_CLOCKS = "import time; print(time.time(), time.monotonic())"


def library(package: str = PACKAGE) -> Path:
    """The library's path. Raises NotPlayable without the extra, or where the library does not work."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise NotPlayable("faults of a clock need the extra: pip install 'shaketable[clock]'")
    path = Path(spec.origin).parent / WITHIN
    if why := problem(path):
        raise NotPlayable(f"faults of a clock need libfaketime, and {path} does not work here: {why}")
    return path


def problem(path: Path) -> str:
    """Why the library does not move the wall clock, and only that, of a process; "" when it does."""
    if why := preload.problem(path):
        return f"{why}: install shaketable in a folder without it"
    env = environment(Path(os.devnull), LD_PRELOAD=str(path), FAKETIME=f"+{_AHEAD_S}", **SETTINGS)
    command = [sys.executable, "-I", "-S", "-c", _CLOCKS]
    try:
        done = subprocess.run(command, env=env, capture_output=True, encoding="utf-8", timeout=_TRY_S)
        wall, monotonic = (float(word) for word in done.stdout.split())
    except (OSError, ValueError, subprocess.TimeoutExpired) as e:
        return f"a process that loads it ends by {type(e).__name__}"
    if abs(wall - time.time() - _AHEAD_S) > _TOLERANCE_S:
        return done.stderr.strip().splitlines()[0] if done.stderr.strip() else "it does not move the wall clock"
    return "" if abs(monotonic - time.monotonic()) < _TOLERANCE_S else "it moves CLOCK_MONOTONIC"
