"""The checks for which a scenario provides evidence: a failure of one that it leaves out would stay in brackets."""

from __future__ import annotations

from collections.abc import Iterator

from shaketable.faults.timeline import At
from shaketable.runner.scenario import Scenario
from shaketable.target.manifest import Timing

#: The laws of what is stored: any load shows whether they hold.
STORED = ("no_loss", "no_duplicates", "nothing_invented", "order_kept", "content_intact")
#: Seconds of an outage of the store from which on retries have a rate.
RATE_S = 2.0


def provided(asked: Scenario) -> Iterator[str]:
    """The names of the checks, some of them twice."""
    yield from STORED
    if asked.mix.malformed:
        yield "refuses_rightly"
    if not asked.timeline:
        yield from ("health_honest", "status_honest", "latency_budget")
        return
    yield from ("recovers_in_time", "health_honest")
    if any(entry.fault.kind == "reject_rows" for entry in asked.timeline):
        yield from ("dead_letters_explained", "isolated", "breaker_behaves", "retries_bounded", "latency_budget")
    if any(entry.fault.kind == "fail_next" for entry in asked.timeline):
        yield "breaker_behaves"
    longest = max((entry.until_s - entry.at_s for entry in asked.timeline if _blocks_store(entry)), default=0.0)
    if longest >= RATE_S:
        yield from ("retries_bounded", "intake_survives")
    if longest > float(asked.settings.get("open_within_s", Timing().open_within_s)):
        yield from ("breaker_behaves", "status_honest")
    if any(map(_makes_the_intake_refuse, asked.timeline)):
        yield "status_honest"


def _makes_the_intake_refuse(entry: At) -> bool:
    """For now, with Retry-After where it is promised."""
    fault = entry.fault
    return fault.kind == "enqueue_reply_lost" or (fault.kind == "down" and getattr(fault, "service", "") == "redis")


def _blocks_store(entry: At) -> bool:
    fault = entry.fault
    return bool(getattr(fault, "blocks_store", False)) and getattr(fault, "process", None) is None
