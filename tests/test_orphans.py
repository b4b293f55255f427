"""What daemonises with an empty environment ends with the run; what was there before stays."""

from __future__ import annotations

import subprocess
import sys

import psutil

from shaketable import orphans

#: Forks twice, in a session of its own, without an environment; prints the daemon's number.
DAEMON = """
import os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print(os.getpid(), flush=True)
        os.closerange(0, 3)
        os.execve("/bin/sleep", ["sleep", "600"], {})
    os._exit(0)
os.wait()
"""


def test_daemon_without_an_environment_ends_with_the_run_and_nothing_else_does() -> None:
    before = subprocess.Popen(["sleep", "600"])
    try:
        with orphans.ended():
            said = subprocess.run([sys.executable, "-c", DAEMON], stdout=subprocess.PIPE, check=True).stdout
            daemon = psutil.Process(int(said))
            assert daemon.is_running()
        assert not daemon.is_running()
        assert before.poll() is None
    finally:
        before.kill()
        before.wait()
