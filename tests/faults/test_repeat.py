"""What a fault does again and again: it outlives a time without an answer, and tells of what went wrong."""

from __future__ import annotations

import threading

import pytest

from shaketable.errors import HarnessError
from shaketable.faults.kinds.repeat import Repeat, renew
from tests.support.waits import comes


def test_what_is_repeated_goes_on_after_a_time_without_an_answer_and_tells_of_a_defect() -> None:
    done: list[Exception | None] = [None, HarnessError("no answer"), None, ValueError("a defect")]
    left = list(done)

    def action() -> None:
        if (error := left.pop(0)) is not None:
            raise error

    repeat = renew("a test", action, 0.001)
    assert comes(lambda: not left)
    with pytest.raises(ValueError, match="a defect"):
        repeat.close()


def test_turn_that_does_not_come_back_is_no_end() -> None:
    held = threading.Event()

    def turn(_: threading.Event) -> None:
        held.wait(60)

    repeat = Repeat("a test", turn, end_s=0.05)
    with pytest.raises(HarnessError, match=r"a test did not end within 0\.05 s"):
        repeat.close()
    held.set()
    repeat._thread.join(60)
    repeat.close()
