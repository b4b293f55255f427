"""Memory of the target's processes: descendants count, wherever they went, and another instance's do not."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psutil
import pytest

from shaketable.evidence.memory import resident
from shaketable.stack.process import Child, spawn
from shaketable.stack.supervisor import Supervisor
from shaketable.target.instance import Instance
from tests.stack.test_mark import until

MIB = 1 << 20
#: Leaves a process in a session of its own that holds 64 MiB, and stays.
LEAVES = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        held = b"x" * (64 << 20)
        open(sys.argv[1], "w").close()
        time.sleep(600)
    os._exit(0)
os.wait()
time.sleep(600)
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with closing(Supervisor(f"test-memory-{os.getpid()}")) as supervisor:
        yield supervisor


def instance(child: Any) -> Instance:
    return cast(Instance, SimpleNamespace(name=child.name, child=child))


def test_what_left_the_tree_counts_and_only_for_its_own_instance(mine: Supervisor, tmp_path: Path) -> None:
    common: dict[str, Any] = {"env": {}, "cwd": tmp_path, "log": tmp_path / "log"}
    large = mine.spawn("worker-1", [sys.executable, "-c", LEAVES, str(tmp_path / "held")], **common)
    small = mine.spawn("worker-2", ["/bin/sleep", "600"], **common)
    until((tmp_path / "held").exists)
    found = resident([instance(large), instance(small), cast(Instance, SimpleNamespace(name="worker-3", child=None))])
    assert set(found) == {"memory_worker-1", "memory_worker-2"}
    assert int(found["memory_worker-1"] or 0) > 64 * MIB > 10 * int(found["memory_worker-2"] or 0) > 0
    large.kill()
    assert resident([instance(large), instance(small)])["memory_worker-1"] == 0
    small.kill()


def test_without_a_mark_the_kernel_tells_the_tree(tmp_path: Path) -> None:
    child = spawn("worker-1", ["sleep", "60"], env={}, cwd=tmp_path, log=tmp_path / "log", journal=lambda *_: None)
    with closing(child):
        assert isinstance(child, Child)
        assert child.mark == 0
        found = resident([instance(child)])["memory_worker-1"]
        assert 0 < int(found or 0) <= psutil.Process(child.pid).memory_info().rss
