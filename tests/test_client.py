from __future__ import annotations

import random

import pytest

from shaketable.client import decide, wait
from shaketable.clock import SECOND
from shaketable.op import Outcome


@pytest.mark.parametrize(
    ("status", "error", "outcome", "again"),
    [
        (202, "", Outcome.ACKNOWLEDGED, False),
        (400, "", Outcome.REFUSED, False),
        (401, "", Outcome.REFUSED, False),
        (413, "", Outcome.REFUSED, False),
        (422, "", Outcome.REFUSED, False),
        (429, "", Outcome.REFUSED, True),
        (503, "", Outcome.REFUSED, True),
        (None, "ConnectionRefusedError", Outcome.REFUSED, True),
        (200, "", Outcome.INDETERMINATE, True),  # no promise of this contract
        (204, "", Outcome.INDETERMINATE, True),
        (302, "", Outcome.INDETERMINATE, True),
        (404, "", Outcome.INDETERMINATE, True),
        (500, "", Outcome.INDETERMINATE, True),
        (502, "", Outcome.INDETERMINATE, True),
        (504, "", Outcome.INDETERMINATE, True),
        (None, "TimeoutError", Outcome.INDETERMINATE, True),
        (None, "ConnectionResetError", Outcome.INDETERMINATE, True),
        (None, "HTTPConnectionClosed", Outcome.INDETERMINATE, True),
        (None, "NeverHeardOf", Outcome.INDETERMINATE, True),
        (None, "", Outcome.INDETERMINATE, True),
        (202, "ConnectionResetError", Outcome.INDETERMINATE, True),
        (400, "ConnectionResetError", Outcome.INDETERMINATE, True),
    ],
)
def test_every_answer_has_one_meaning(status: int | None, error: str, outcome: Outcome, again: bool) -> None:
    assert decide(status, error) == (outcome, again)


def test_a_target_names_its_own_definite_refusals() -> None:
    assert decide(503, definite_refusals={400}).outcome is Outcome.INDETERMINATE
    assert decide(409, definite_refusals={409}) == (Outcome.REFUSED, False)


def test_waits_double_from_a_fifth_of_a_second_to_two_seconds() -> None:
    rng = random.Random(1)
    for tries, seconds in ((1, 0.2), (2, 0.4), (3, 0.8), (4, 1.6), (5, 2.0), (5_000, 2.0)):
        assert wait(tries, rng) / SECOND == pytest.approx(seconds, rel=0.25)
