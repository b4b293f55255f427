"""Blocks of ports: held against every user of the machine, refused when somebody listens there."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress

import pytest

from shaketable.errors import HarnessError, InputError
from shaketable.stack import ports

#: A block that no run takes by itself, since they begin with the first.
SPARE = ports.FIRST + ports.SIZE * ((ports.LAST - ports.FIRST + 1) // ports.SIZE - 1)


def test_two_runs_at_once_hold_different_blocks() -> None:
    with ports.reserve() as one, ports.reserve() as other:
        assert one.base != other.base


def test_block_that_another_run_holds_is_refused_by_name() -> None:
    told = "belongs to another run"
    with ports.reserve() as held, pytest.raises(InputError, match=told), ports.reserve(held.base):
        pytest.fail("the block was held twice")


@pytest.mark.parametrize("shift", [-1, 1, ports.SIZE - 1, 1 - ports.SIZE])
def test_block_that_reaches_into_that_of_another_run_is_refused(shift: int) -> None:
    with ports.reserve() as first, ports.reserve() as held:
        assert first.base < held.base
        with pytest.raises(InputError, match="belongs to another run"), ports.reserve(held.base + shift):
            pytest.fail("a port was handed out twice")


def test_block_is_held_by_a_port_that_nobody_answers_on_and_no_child_inherits() -> None:
    with ports.reserve(SPARE) as block:
        child = subprocess.Popen(["sleep", "60"])
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", block.base))
    with child, ports.reserve(block.base):
        child.kill()


#: One user's run, as far as ports are concerned; the user is changed late, since another may not read this checkout.
RUN = """
import os, sys
from shaketable.stack import ports

if sys.argv[1]:
    os.setuid(int(sys.argv[1]))
sys.stdin.readline()
with ports.reserve() as block:
    print(block.base, flush=True)
    sys.stdin.read()
"""


def test_ten_runs_of_two_users_that_start_at_once_hold_different_blocks() -> None:
    users = ["65001", "65002"] if os.getuid() == 0 else [""]
    with ExitStack() as opened:
        runs = [
            opened.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", RUN, users[number % len(users)]],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for number in range(10)
        ]
        for run in runs:
            assert run.stdin
            run.stdin.write("start\n")
            run.stdin.flush()
        bases = [run.stdout.readline() for run in runs if run.stdout]
        assert all(bases)
        assert len(set(bases)) == 10


def test_block_with_a_listener_is_refused_with_its_port() -> None:
    listener = socket.create_server(("127.0.0.1", SPARE + 7))
    with listener, pytest.raises(InputError, match=f"but {SPARE + 7} is in use"), ports.reserve(SPARE):
        pytest.fail("a port in use was handed out")


def test_listener_in_a_block_moves_the_next_run_to_another_one() -> None:
    with ExitStack() as opened:
        listener = None
        while listener is None:
            with ports.reserve() as block:
                base = block.base
            with suppress(OSError):  # a run beside this one took it
                listener = opened.enter_context(socket.create_server(("127.0.0.1", base)))
        assert opened.enter_context(ports.reserve()).base != base


def test_used_up_block_says_so() -> None:
    with ports.reserve() as block:
        taken = [block.take() for _ in range(ports.SIZE - 1)]  # one holds the block
        assert len({block.base, *taken}) == ports.SIZE
        with pytest.raises(HarnessError, match="fewer processes"):
            block.take()
        block.give_back(taken[3])
        assert block.take() == taken[3]


@pytest.mark.parametrize("base", [80, 19_999, 32_705, 70_000])
def test_base_that_ephemeral_ports_could_reach_is_refused(base: int) -> None:
    with pytest.raises(InputError, match=f"got {base}"):
        ports.check_base(base)
