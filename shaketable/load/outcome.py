"""A client: what an answer means, and how long to wait before the next try. The one table that decides outcomes."""

from __future__ import annotations

import random
from collections.abc import Collection
from typing import NamedTuple

from shaketable.clock import SECOND
from shaketable.op import Outcome

#: Answers that mean: certainly not accepted (a manifest may name others).
DEFINITE_REFUSALS = frozenset({400, 401, 413, 422, 429, 503})
#: Those among them that invite another try.
FOR_NOW = frozenset({429, 503})
#: Errors by which not one byte of a request can have reached the target.
NEVER_SENT = frozenset({"ConnectionRefusedError"})

#: The wait before the second attempt, doubled before each further one, in seconds.
FIRST_WAIT_S = 0.2
#: The longest wait between two attempts, in seconds.
LONGEST_WAIT_S = 2.0
#: The most tries of one event, about: where it is tried for longer than usual, the longest wait grows with that time.
MOST_TRIES = 30
#: Waits are longer or shorter by up to this share, so that clients do not come back in step.
WAIT_JITTER = 0.25


class Classification(NamedTuple):
    """What the client knows after an attempt."""

    outcome: Outcome
    retryable: bool  # whether a real client would try again


def classify(
    status: int | None, error: str = "", definite_refusals: Collection[int] = DEFINITE_REFUSALS
) -> Classification:
    """The meaning of an answer's status, or of the error (by class name) in its stead; in doubt, indeterminate."""
    if status == 202 and not error:
        return Classification(Outcome.ACKNOWLEDGED, retryable=False)
    if error in NEVER_SENT:
        return Classification(Outcome.REFUSED, retryable=True)
    if status in definite_refusals and not error:
        return Classification(Outcome.REFUSED, retryable=status in FOR_NOW)
    return Classification(Outcome.INDETERMINATE, retryable=True)


def wait(tries: int, rng: random.Random, resend_for_s: float = 0.0, advised_s: float = 0.0) -> int:
    """Nanoseconds to wait after so many attempts (1 or more), at least what the answer advised (Retry-After)."""
    longest_s = max(LONGEST_WAIT_S, resend_for_s / MOST_TRIES)
    seconds = min(FIRST_WAIT_S * 2.0 ** min(tries - 1, 30), longest_s) * rng.uniform(1 - WAIT_JITTER, 1 + WAIT_JITTER)
    return round(max(seconds, advised_s) * SECOND)


def advised(retry_after: str | None) -> float:
    """The seconds of a Retry-After; 0 for none, or for a date."""
    text = (retry_after or "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0.0


def contract_broken(status: int | None, refusals: Collection[int], *, proven: bool) -> str:
    """Why no load makes sense against a target that answers so; "" when it may go on.

    `proven`: there was a 202 already, so that the path is right, whatever is answered in trouble.
    """
    if status is None or status == 202 or status in refusals:
        return ""
    if 200 <= status < 300:
        return f"answers are {status}, the contract expects 202: let the target answer 202 once an event is durable"
    if not proven and (300 <= status < 400 or status in (404, 405)):
        return f"answers are {status}, the contract expects 202: is the path right at which events are posted?"
    return ""
