"""A process's wall clock moves, and nothing else: not its waits, threads, monotonic clock, nor other processes."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shaketable.errors import NotPlayable
from shaketable.stack.process import environment
from shaketable.stack.supervisor import Supervisor
from shaketable.stack.wall_clock import clocks, library
from shaketable.stack.wall_clock.clock import WallClock

#: Prints both clocks for each line of input, of its own or of a child that it forks.
TELL = """
import os, sys, time
for line in sys.stdin:
    if line == "fork\\n" and os.fork():
        os.wait()
        continue
    print(time.time(), time.monotonic(), flush=True)
    if line == "fork\\n":
        os._exit(0)
"""
#: Waits in each way that Python has, and lets two threads compete for the GIL; prints how long each took.
WAIT = """
import select, threading, time
lock = threading.Lock()
lock.acquire()
acquire, poll = lambda s: lock.acquire(timeout=s), lambda s: select.select([], [], [], s)
for wait in (time.sleep, threading.Event().wait, acquire, poll):
    began = time.monotonic()
    wait(0.2)
    print(time.monotonic() - began)
"""
SPIN = """
import resource, threading, time
def busy():
    end = time.monotonic() + 0.4
    while time.monotonic() < end: pass
threads = [threading.Thread(target=busy) for _ in range(2)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime)
"""


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    made = Supervisor(f"test-{secrets.token_hex(4)}")
    yield made
    made.close()


@pytest.fixture
def clock(supervisor: Supervisor) -> Iterator[WallClock]:
    with clocks.opened(library.library(), supervisor) as made:
        assert made is not None
        yield made.of("worker-1")


class Told:
    """A process by a clock, asked for both of its clocks."""

    def __init__(self, env: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-S", "-c", TELL],
            env=environment(Path(os.devnull), **env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def ahead_s(self, by: str = "self") -> float:
        """Seconds by which its wall clock is ahead of ours; its monotonic one never is."""
        assert self.process.stdin
        assert self.process.stdout
        asked = time.monotonic()
        self.process.stdin.write(f"{by}\n")
        self.process.stdin.flush()
        wall, monotonic = map(float, self.process.stdout.readline().split())
        assert asked <= monotonic <= time.monotonic()
        return (wall - monotonic) - (time.time() - time.monotonic())  # however late its answer is read

    def comes_to(self, offset_s: float) -> bool:
        """Whether it comes to be so far ahead."""
        deadline = time.monotonic() + 30
        while abs(self.ahead_s() - offset_s) > 1 and time.monotonic() < deadline:
            time.sleep(0.02)
        return abs(self.ahead_s() - offset_s) <= 1


@contextmanager
def told(env: dict[str, str]) -> Iterator[Told]:
    made = Told(env)
    try:
        yield made
    finally:
        made.process.kill()
        made.process.communicate()


def test_running_process_sees_each_step_and_the_healing(clock: WallClock) -> None:
    with told(clock.environment) as process, told({}) as other:
        assert abs(process.ahead_s()) < 1
        for by_s in (10_800.0, -7200.0):
            clock.move("step", by_s)
            assert process.comes_to(by_s)
            assert abs(process.ahead_s("fork") - by_s) < 1
            assert abs(other.ahead_s()) < 1
        clock.set_right("step")
        assert process.comes_to(0)


def test_causes_add_up_and_one_that_ends_leaves_the_other(clock: WallClock) -> None:
    clock.move("step", 100)
    clock.move("drift", -1.5)
    assert clock.offset_s == 98.5
    clock.set_right("step")
    clock.set_right("never moved it")
    assert clock.offset_s == -1.5


def test_process_that_starts_later_starts_with_the_wrong_clock(clock: WallClock) -> None:
    clock.move("step", 5000)
    with told(clock.environment) as process:
        assert abs(process.ahead_s() - 5000) < 1


def test_reads_are_counted_and_a_process_without_the_library_is_seen(clock: WallClock) -> None:
    before = clock.reads()
    with told(clock.environment) as process, told({}) as other:
        process.ahead_s()
        other.ahead_s()
        assert clock.reads() > before
        assert clock.without([process.process.pid, other.process.pid]) == [other.process.pid]
    assert clock.without([other.process.pid]) == []  # it has ended


def test_waits_take_as_long_as_without_it(clock: WallClock) -> None:
    clock.move("step", 10_800)
    assert [0.19 < float(took) < 20 for took in ran(WAIT, clock)] == [True] * 4  # a busy machine; the step is 3 hours


def test_threads_do_not_spin_for_the_gil(clock: WallClock) -> None:
    (cpu_s,) = ran(SPIN, clock)
    assert float(cpu_s) < 0.65  # one CPU's 0.4 s and the start; two that spin take 0.8 s


def ran(script: str, clock: WallClock) -> list[str]:
    env = environment(Path(os.devnull), **clock.environment)
    done = subprocess.run([sys.executable, "-S", "-c", script], env=env, stdout=subprocess.PIPE, encoding="utf-8")
    assert done.returncode == 0
    return done.stdout.split()


def shared(clock: WallClock) -> list[bool]:
    """Whether the semaphore and the shared memory of a clock are there."""
    name = clock.environment["FAKETIME_SHARED"].split()[0].removeprefix("/")
    return [Path("/dev/shm", file).exists() for file in (name, f"sem.{name}")]


def test_nothing_is_left_in_shared_memory_even_by_a_process_that_is_killed(supervisor: Supervisor) -> None:
    with clocks.opened(library.library(), supervisor) as made:
        assert made is not None
        clock = made.of("worker-1")
        with told(clock.environment) as process:  # which is killed
            process.ahead_s()
            assert shared(clock) == [True, True]
        assert not list(Path("/dev/shm").glob(f"*faketime_*_{process.process.pid}"))
    assert shared(clock) == [False, False]


def test_supervisor_removes_it_after_a_harness_that_died() -> None:
    supervisor = Supervisor(f"test-{secrets.token_hex(4)}")
    left = clocks.opened(library.library(), supervisor)
    made = left.__enter__()
    assert made is not None
    clock = made.of("worker-1")
    assert shared(clock) == [True, True]
    supervisor.close()  # as after a harness that was killed: nobody has left the context
    assert shared(clock) == [False, False]


def test_without_the_extra_one_sentence_names_the_remedy() -> None:
    with pytest.raises(NotPlayable, match=r"pip install 'shaketable\[clock\]'"):
        library.library("a_package_that_nobody_has")


def test_library_that_does_not_work_here_is_no_fault_s(tmp_path: Path) -> None:
    (tmp_path / "libfaketime.so.1").write_text("of another machine")
    assert "ld.so" in library.problem(tmp_path / "libfaketime.so.1")
    assert library.problem(tmp_path / "there_is_none")


def test_no_fault_of_a_clock_loads_nothing(supervisor: Supervisor) -> None:
    with clocks.opened(None, supervisor) as made:
        assert made is None
