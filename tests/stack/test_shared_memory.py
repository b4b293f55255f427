"""A PostgreSQL of the local stack leaves no shared memory behind, however it ends."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from shaketable.stack.local import LocalStack
from tests.conftest import opened
from tests.support.cases import nightly


def of(pid: int) -> list[str]:
    """The kernel's segments that a process created."""
    rows = [line.split() for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]]
    return [row[1] for row in rows if int(row[4]) == pid]


def come_back(stack: LocalStack) -> None:
    stack.server("postgres").kill()
    stack.server("postgres").bring_back()


WAYS: list[Callable[[LocalStack], None]] = [lambda _: None, lambda stack: stack.server("postgres").kill(), come_back]


@pytest.mark.slow
@pytest.mark.parametrize(
    "ending", [nightly(WAYS[0]), nightly(WAYS[1]), WAYS[2]], ids=["stopped", "killed", "killed and back"]
)
def test_postgres_leaves_no_shared_memory(ending: Callable[[LocalStack], None], tmp_path: Path) -> None:
    with opened("local", tmp_path) as stack:
        assert isinstance(stack, LocalStack)
        assert stack.postgres.child
        pids = {stack.postgres.child.pid}
        assert of(min(pids))
        mapped = Path(f"/proc/{min(pids)}/maps").read_text()
        assert "/dev/shm/" not in mapped
        assert "pg_dynshmem" in mapped
        ending(stack)
        pids.add(stack.postgres.child.pid)
    assert [segment for pid in pids for segment in of(pid)] == []
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert os.listdir(tmp_path)  # its log; nothing else of it is here
