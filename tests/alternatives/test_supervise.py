"""A worker that ends is started again; SIGTERM ends both."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
SUPERVISOR = """
import sys
from alternatives.common import supervise
supervise.PAUSE_S = 0.01
supervise.supervise([sys.executable, "-c", sys.argv[1], sys.argv[2]])
"""
#: Ends twice at once, then stays.
WORKER = """
import sys, time
from pathlib import Path
log = Path(sys.argv[1])
with log.open("a") as out: out.write("began\\n")
if log.read_text().count("began") > 2: time.sleep(60)
sys.exit(3)
"""


def test_what_ends_is_started_again_until_sigterm(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [sys.executable, "-c", SUPERVISOR, WORKER, str(log)]
    supervisor = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while (not log.exists() or log.read_text().count("began") < 3) and time.monotonic() < deadline:
        time.sleep(0.02)
    supervisor.send_signal(signal.SIGTERM)
    _, told = supervisor.communicate(timeout=20)
    assert told.count("ended with exit code 3: starting it again") == 2
    assert log.read_text().count("began") == 3
