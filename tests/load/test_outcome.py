from __future__ import annotations

import random

import pytest

from shaketable.clock import SECOND
from shaketable.load.outcome import DEFINITE_REFUSALS, MOST_TRIES, advised, classify, contract_broken, wait
from shaketable.op import Outcome


@pytest.mark.parametrize(
    ("status", "error", "outcome", "retryable"),
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
def test_every_answer_has_one_meaning(status: int | None, error: str, outcome: Outcome, retryable: bool) -> None:
    assert classify(status, error) == (outcome, retryable)


def test_a_target_names_its_own_definite_refusals() -> None:
    assert classify(503, definite_refusals={400}).outcome is Outcome.INDETERMINATE
    assert classify(409, definite_refusals={409}) == (Outcome.REFUSED, False)


def test_waits_double_from_a_fifth_of_a_second_to_two_seconds() -> None:
    rng = random.Random(1)
    for tries, seconds in ((1, 0.2), (2, 0.4), (3, 0.8), (4, 1.6), (5, 2.0), (5_000, 2.0)):
        assert wait(tries, rng) / SECOND == pytest.approx(seconds, rel=0.25)


def test_one_event_is_tried_some_thirty_times_at_most_however_long_it_is_tried_for() -> None:
    rng, resend_for_s = random.Random(1), 600.0
    waited, tries = 0, 0
    while waited < resend_for_s * SECOND:
        tries += 1
        waited += wait(tries, rng, resend_for_s)
    assert tries <= MOST_TRIES + 8


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("3", 3.0),
        (" 12 ", 12.0),
        (None, 0.0),
        ("", 0.0),
        ("-1", 0.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 0.0),
        ("9999999999", 0.0),
        ("٣", 0.0),
    ],
)
def test_retry_after_is_read_in_seconds(header: str | None, seconds: float) -> None:
    assert advised(header) == seconds
    assert wait(1, random.Random(1), advised_s=seconds) >= seconds * SECOND


@pytest.mark.parametrize(
    ("status", "proven", "broken"),
    [
        (200, True, True),
        (201, False, True),
        (204, True, True),
        (202, False, False),
        (500, False, False),
        (404, False, True),
        (404, True, False),
        (308, False, True),
        (302, True, False),
        (None, False, False),
        (400, False, False),
    ],
)
def test_answers_that_no_target_of_the_contract_gives_end_the_load(
    status: int | None, proven: bool, broken: bool
) -> None:
    why = contract_broken(status, DEFINITE_REFUSALS, proven=proven)
    assert bool(why) is broken
    if broken:
        assert f"answers are {status}, the contract expects 202" in why


def test_a_status_that_the_manifest_calls_a_refusal_is_none_of_them() -> None:
    assert not contract_broken(404, {404}, proven=False)
