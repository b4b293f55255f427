"""The little target and a context on it; modules that break another stack bring their own."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from shaketable.faults.context import RunContext
from shaketable.op import Op
from shaketable.stack.host import HostStack
from shaketable.stack.stack import Stack
from shaketable.stack.supervisor import Supervisor
from shaketable.stack.wall_clock import clocks
from shaketable.target.target import Target
from tests.conftest import Servers
from tests.faults.little_target import MANIFEST, Here, answers


@pytest.fixture(scope="module")
def told() -> list[Op]:
    """What the target records, of all tests."""
    return []


@pytest.fixture(scope="module")
def here(stack: HostStack) -> Iterator[Here]:
    servers = Servers(stack)
    made = Here(servers)
    yield made
    made.give_back()
    servers.close()


@pytest.fixture(scope="module")
def faketime() -> Path | None:
    """The library that moves the target's clocks, in modules that need it."""
    return None


@pytest.fixture(scope="module")
def started(
    here: Here, told: list[Op], faketime: Path | None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Target]:
    folder, supervisor = tmp_path_factory.mktemp("target"), Supervisor(f"test-{secrets.token_hex(4)}")
    with clocks.opened(faketime, supervisor) as made:
        target = Target(
            MANIFEST,
            folder,
            cast(Stack, here),
            supervisor,
            run_id=f"test-{folder.name}",
            state=folder / "state",
            logs=folder,
            settings={},
            record=told.append,
            clocks=made,
        )
        yield target
        target.stop_all()
    supervisor.close()


@pytest.fixture
def ops(told: list[Op]) -> list[Op]:
    """What the target records in this test."""
    return told


@pytest.fixture
def target(started: Target, told: list[Op]) -> Iterator[Target]:
    """Two workers, ready, each its first incarnation; they are the module's, as far as a test leaves them whole."""
    for name, instance in started.instances.items():
        if not (instance.child and answers(started, name, 0.3)):
            started.kill(name)
            started.start(name)
    for name, instance in started.instances.items():
        started.await_ready(name)
        instance.incarnation = 1
    told.clear()
    yield started
    for name, instance in started.instances.items():
        if (instance.state / "stubborn").exists():
            (instance.state / "stubborn").unlink()
            started.kill(name)


@pytest.fixture
def context(target: Target, here: Here) -> Iterator[RunContext]:
    with RunContext(cast(Stack, here), target, lambda _: None, list) as made:
        yield made
