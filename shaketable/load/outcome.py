"""The one place that classifies responses, and the waits between a client's attempts."""

from __future__ import annotations

import random
from collections.abc import Collection
from typing import NamedTuple

from shaketable.clock import SECOND
from shaketable.op import Outcome

#: Statuses that mean certainly not accepted; a manifest may name others.
DEFINITE_REFUSALS = frozenset({400, 401, 413, 422, 429, 503})
#: Statuses that mean accepted and durable; a manifest may name others.
ACCEPTED = frozenset({202})
#: Those of the refusals that are retryable.
FOR_NOW = frozenset({429, 503})
#: Errors after which no byte of the request can have reached the target.
NEVER_SENT = frozenset({"ConnectionRefusedError", "SenderNotOpened"})
#: The error, in the journal, of an event whose whole batch was answered 413, which judges none of its events.
TOO_LARGE, TOO_LARGE_STATUS = "BatchTooLarge", 413

#: Seconds before the second attempt; the wait doubles before each further one.
FIRST_WAIT_S = 0.2
#: The longest wait between two attempts in seconds.
LONGEST_WAIT_S = 2.0
#: Approximate limit of attempts per event: with a longer resend period the longest wait grows.
MOST_TRIES = 30
#: Waits vary by up to this share, so that clients do not retry in step.
WAIT_JITTER = 0.25


class Classification(NamedTuple):
    """The meaning of an attempt's response or error."""

    outcome: Outcome
    retryable: bool  # whether a client would retry


def classify(
    status: int | None,
    error: str = "",
    definite_refusals: Collection[int] = DEFINITE_REFUSALS,
    accepted: Collection[int] = ACCEPTED,
) -> Classification:
    """Classify a response by its status, or an error by its class name; indeterminate when in doubt."""
    if status in accepted and not error:
        return Classification(Outcome.ACKNOWLEDGED, retryable=False)
    if error in NEVER_SENT or (error == TOO_LARGE and TOO_LARGE_STATUS in definite_refusals):
        return Classification(Outcome.REFUSED, retryable=True)
    if status in definite_refusals and not error:
        return Classification(Outcome.REFUSED, retryable=status in FOR_NOW)
    return Classification(Outcome.INDETERMINATE, retryable=True)


def wait(tries: int, rng: random.Random, resend_for_s: float = 0.0, advised_s: float = 0.0) -> int:
    """Nanoseconds to wait after `tries` attempts (1 or more), and at least `advised_s` seconds (Retry-After)."""
    longest_s = max(LONGEST_WAIT_S, resend_for_s / MOST_TRIES)
    seconds = min(FIRST_WAIT_S * 2.0 ** min(tries - 1, 30), longest_s) * rng.uniform(1 - WAIT_JITTER, 1 + WAIT_JITTER)
    return round(max(seconds, advised_s) * SECOND)


def advised(retry_after: str | None) -> float:
    """The seconds of a Retry-After header; 0 for a missing header or a date."""
    text = (retry_after or "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0.0


def contract_broken(
    status: int | None, refusals: Collection[int], accepted: Collection[int] = ACCEPTED, *, proven: bool
) -> str:
    """Explain why a status makes the load pointless; "" when it may continue.

    `proven`: an accepted status was seen, so the path is right and other statuses may be failures.
    """
    if status is None or status in accepted or status in refusals:
        return ""
    expected = " or ".join(map(str, sorted(accepted)))
    if 200 <= status < 300:
        return (
            f"answers are {status}, the contract expects {expected}: let the target answer {expected} once an event "
            "is durable, or name the status in ingest.accepted (contract = 2)"
        )
    if not proven and (300 <= status < 400 or status in (404, 405)):
        return f"answers are {status}, the contract expects {expected}: is the path right at which events are posted?"
    return ""
