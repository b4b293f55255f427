"""Waits between retries, and that nothing but a collision is tried again."""

from __future__ import annotations

import asyncio

import pytest

from reference_impl.errors import Failure, StoreError
from reference_impl.resilience.background import retrying
from reference_impl.settings import Settings


def waits(settings: Settings, failure: Failure = Failure.RETRY) -> list[float]:
    """What is slept when every attempt fails."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def attempt() -> None:
        raise StoreError(failure, "40001", "SerializationFailure")

    with pytest.raises(StoreError):
        asyncio.run(retrying(settings, sleep)(attempt))
    return slept


def test_exponential_waits_double_up_to_the_cap() -> None:
    assert waits(Settings(retry_jitter=0)) == [1, 2, 4, 8, 16]
    assert waits(Settings(retry_jitter=0, max_retries=7, retry_cap_s=10)) == [1, 2, 4, 8, 10, 10, 10]


def test_linear_and_fixed_waits() -> None:
    assert waits(Settings(retry_jitter=0, retry_strategy="linear", max_retries=3)) == [1, 2, 3]
    assert waits(Settings(retry_jitter=0, retry_strategy="fixed", max_retries=3)) == [1, 1, 1]


def test_jitter_is_a_share_of_the_wait_and_never_passes_the_cap() -> None:
    slept = waits(Settings(retry_jitter=0.1, max_retries=50))
    assert all(abs(s - w) <= 0.1 * w + 1e-9 for s, w in zip(slept[:5], [1, 2, 4, 8, 16], strict=True))
    assert max(slept) <= 30
    assert len(set(slept)) > 10


@pytest.mark.parametrize("failure", [f for f in Failure if f is not Failure.RETRY])
def test_what_is_no_collision_is_not_tried_again(failure: Failure) -> None:
    assert waits(Settings(), failure) == []
