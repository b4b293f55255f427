"""Blocks of ports: held by a lock, refused when somebody listens there."""

from __future__ import annotations

import socket

import pytest

from shaketable import ports
from shaketable.errors import HarnessError, InputError


def test_two_runs_at_once_hold_different_blocks() -> None:
    with ports.reserve() as one, ports.reserve() as other:
        assert one.base != other.base


def test_block_that_another_run_holds_is_refused_by_name() -> None:
    told = "belong to another run"
    with ports.reserve() as held, pytest.raises(InputError, match=told), ports.reserve(held.base):
        pytest.fail("the block was held twice")


def test_block_with_a_listener_is_refused_with_its_port() -> None:
    with ports.reserve() as block:
        base = block.base
    listener = socket.create_server(("127.0.0.1", base + 7))
    with listener, pytest.raises(InputError, match=f"but {base + 7} is in use"), ports.reserve(base):
        pytest.fail("a port in use was handed out")


def test_listener_in_a_block_moves_the_next_run_to_another_one() -> None:
    with ports.reserve() as block:
        base = block.base
    with socket.create_server(("127.0.0.1", base)), ports.reserve() as moved:
        assert moved.base != base


def test_used_up_block_says_so() -> None:
    with ports.reserve() as block:
        taken = [block.take() for _ in range(ports.SIZE)]
        assert len(set(taken)) == ports.SIZE
        with pytest.raises(HarnessError, match="fewer processes"):
            block.take()
        block.give_back(taken[3])
        assert block.take() == taken[3]


@pytest.mark.parametrize("base", [80, 19_999, 32_705, 70_000])
def test_base_that_ephemeral_ports_could_reach_is_refused(base: int) -> None:
    with pytest.raises(InputError, match=f"got {base}"):
        ports.check_base(base)
