"""Processes that daemonise leave their parent and may empty their environment: no tree and no variable leads to them.

As a child subreaper the harness becomes their parent in place of process 1, so that it can end them with the run.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

from shaketable.process import kill_all

_PR_SET_CHILD_SUBREAPER = 36
#: Looks for orphans of orphans: ending one hands its own children over.
LOOKS = 10


@contextmanager
def ended() -> Iterator[None]:
    """At the end, end every process that this one adopted meanwhile. Start and end all children of your own inside."""
    _adopt()
    mine = {child.pid for child in psutil.Process().children()}
    try:
        yield
    finally:
        for _ in range(LOOKS):
            if not (adopted := [child for child in psutil.Process().children() if child.pid not in mine]):
                break
            kill_all([each for child in adopted for each in (child, *_below(child))])
            for child in adopted:
                with suppress(ChildProcessError):
                    os.waitpid(child.pid, os.WNOHANG)


def _adopt() -> None:
    """Linux alone knows this; elsewhere orphans stay process 1's."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _below(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []
