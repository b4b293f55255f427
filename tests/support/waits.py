"""Waits for what comes to pass, however starved the machine is: the bound is only there to end a test that fails."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
#: Seconds: far more than a process or a server is ever held up.
WITHIN_S = 60.0


def last(look: Callable[[], T], enough: Callable[[T], bool], within_s: float = WITHIN_S) -> T:
    """What a look shows, as soon as that is enough, or in the end."""
    deadline = time.monotonic() + within_s
    while not enough(seen := look()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return seen


def comes(condition: Callable[[], bool], within_s: float = WITHIN_S) -> bool:
    """Whether it comes to hold."""
    return last(condition, bool, within_s)


def await_that(condition: Callable[[], bool], within_s: float = WITHIN_S) -> None:
    """Wait until it holds. Raises AssertionError when it does not come to."""
    assert comes(condition, within_s), "it did not come to pass"
