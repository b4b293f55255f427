"""The little target and a bench on it; modules that break another stack bring their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from shaketable.bench import RunBench
from shaketable.op import Op
from shaketable.stack import Stack
from shaketable.supervisor import Supervisor
from shaketable.target import Target
from tests.conftest import Servers
from tests.faults.little_target import MANIFEST, Here


@pytest.fixture
def ops() -> list[Op]:
    return []


@pytest.fixture
def target(servers: Servers, tmp_path: Path, ops: list[Op]) -> Iterator[Target]:
    here, supervisor = Here(servers), Supervisor(f"test-{tmp_path.name}")
    made = Target(
        MANIFEST, tmp_path, cast(Stack, here), supervisor, run_id=f"test-{tmp_path.name}", state=tmp_path / "state",
        logs=tmp_path, settings={}, record=ops.append,
    )  # fmt: skip
    for name in made.instances:
        made.start(name)
    for name in made.instances:
        made.await_ready(name)
    yield made
    made.stop_all()
    supervisor.close()
    here.give_back()


@pytest.fixture
def bench(target: Target, servers: Servers) -> Iterator[RunBench]:
    with RunBench(cast(Stack, Here(servers)), target, lambda _: None, list) as made:
        yield made
