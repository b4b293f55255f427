"""A run directory of any size that nobody ran: sane throughout, but for a known number of planted anomalies.

2,000 events a second of 100 organizations in turn, each acknowledged after 2 ms and stored in batches of 50; the store
is away for 15 s, and what came meanwhile is stored afterwards, in order.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from shaketable import rundir
from shaketable.checks import CHECKS
from shaketable.clock import MS, SECOND
from shaketable.load.mix.shape import Expect, Shape
from shaketable.load.schedule import Planned
from shaketable.op import Kind, Op, Outcome
from shaketable.rundir import RunDir

#: Events a second, and organizations that take turns.
RATE, ORGANIZATIONS = 2_000, 100
#: T0 on both clocks (ns): small enough for a monotonic clock, late enough for the events' own timestamps.
MONOTONIC, WALL = 1_000 * SECOND, 1_800_000_000 * SECOND
#: Events in one transaction.
BATCH = 50
#: When the store is away, and until when the backlog is stored (seconds after T0).
AWAY, BACK, CAUGHT_UP = 10.0, 25.0, 30.0
#: Every so manieth event is malformed; every so manieth of the others is sent twice.
MALFORMED, TWICE = 50, 40
#: Fewer events leave no room for the outage and, after it, for the anomalies.
LEAST = 80_000
#: Bodies that are sent again and again.
SHAPES = 60


class Planted(NamedTuple):
    """How many events of each kind are wrong; the names are those of the checks' sets."""

    lost: int = 7
    doubled: int = 6
    overtaken: int = 5
    altered: int = 4
    refused: int = 3  # stored, although every attempt was refused
    undeserved: int = 2  # dead-lettered without cause


class Fate(NamedTuple):
    """What becomes of one event: its place in the order of commits, and what is wrong with it."""

    place: int
    wrong: str


def write(folder: Path, size: int, planted: Planted | None = None, seed: int = 1) -> RunDir:
    """Write the run directory of `size` events. Raises ValueError for fewer than LEAST."""
    if size < LEAST:
        raise ValueError(f"expected at least {LEAST} events, got {size}: outage and anomalies need room")
    run, plan = RunDir(folder), _plan(size, planted or Planted(), Random(seed))
    ids = [str(uuid.UUID(int=Random(seed + n).getrandbits(128), version=4)) for n in range(size)]
    rundir.write_json(run / rundir.SCENARIO, _scenario(size))
    rundir.write_json(run / rundir.TARGET, _TARGET)
    shapes = [_shape(n) for n in range(SHAPES)]
    rundir.write_lines(run / rundir.CORPUS, [*shapes, Shape(SHAPES, Expect.REFUSE, "malformed", text="{}")])
    rundir.write_lines(run / rundir.SCHEDULE, (_planned(n, ids[n]) for n in range(size)))
    rundir.write_lines(run.journal("load-0"), _journal(ids, plan))
    rundir.write_lines(run / rundir.STORED, _stored(ids, plan, shapes))
    rundir.write_lines(run / rundir.DEAD_LETTERS, _letters(ids, plan, shapes))
    rundir.write_lines(run / rundir.QUEUE, [{"key": "events:0", "length": 0}])
    rundir.write_lines(run / rundir.PHASES, _phases(size))
    rundir.write_lines(run / rundir.FAULTS, _faults())
    rundir.write_lines(run / rundir.PROBES, _probes(size))
    rundir.write_lines(run / rundir.TRANSITIONS, _transitions())
    rundir.write_lines(run / rundir.RECEIVED, _received(size))
    return run


def _plan(size: int, planted: Planted, random: Random) -> dict[int, Fate]:
    """Who is wrong, each far from all others and from the outage; a pair of neighbours swaps its places."""
    after = int(CAUGHT_UP * RATE) // ORGANIZATIONS + 10
    rounds = random.sample(range(after, size // ORGANIZATIONS - 10, 4), sum(planted))
    chosen = [n * ORGANIZATIONS + 3 for n in rounds]  # neither malformed nor sent twice
    plan: dict[int, Fate] = {}
    for kind, count in planted._asdict().items():
        for _ in range(count):
            n = chosen.pop()
            plan[n] = Fate(n + ORGANIZATIONS if kind == "overtaken" else n, kind)
            if kind == "overtaken":
                plan[n + ORGANIZATIONS] = Fate(n, "")
    return plan


def _fate(n: int, plan: dict[int, Fate]) -> Fate:
    return plan.get(n) or Fate(n, "")


def _is_malformed(n: int) -> bool:
    return n % MALFORMED == 1


def _due(n: int) -> int:
    """Nanoseconds after T0."""
    return n * SECOND // RATE


def _committed(place: int) -> int:
    """The same, of the transaction that this place falls into: at the end of its batch, or after the outage."""
    at = (place // BATCH + 1) * BATCH / RATE + 0.01
    if AWAY <= at < CAUGHT_UP:
        at = BACK + (at - AWAY) * (CAUGHT_UP - BACK) / (CAUGHT_UP - AWAY)
    return int(at * SECOND)


def _shape(n: int) -> Shape:
    body = {"timestamp": "2027-01-01T00:00:00Z", "action": f"act-{n}", "status": "success", "ttl": n, "note": "é" * n}
    return Shape(n, Expect.ACCEPT, "synthetic", body=body)


def _planned(n: int, event_id: str) -> Planned:
    if _is_malformed(n):
        return Planned(n, _due(n), event_id, SHAPES, Expect.REFUSE)
    return Planned(n, _due(n), event_id, n % SHAPES, Expect.ACCEPT, _organization(n), ordered=True)


def _organization(n: int) -> str:
    return f"org-{n % ORGANIZATIONS}"


def _clock(at: int) -> Op:
    return Op("load-0", Kind.CLOCK, MONOTONIC + at, detail={"wall": WALL + at})


def _journal(ids: list[str], plan: dict[int, Fate]) -> Iterator[Op]:
    yield _clock(0)
    yield Op("load-0", Kind.START, MONOTONIC)
    attempt = 0
    for n, event_id in enumerate(ids):
        if n % (10 * RATE) == 0:
            yield _clock(_due(n))
        refused = _is_malformed(n) or _fate(n, plan).wrong == "refused"
        for resend in ("", "after_ack") if n % TWICE == 0 and not refused else ("",):
            attempt += 1
            at = MONOTONIC + _due(n) + (5 * MS if resend else 0)
            due: dict[str, Any] = {"n": n, "due": MONOTONIC + _due(n), "emitted": at}
            yield Op(
                "load-0",
                Kind.INTENT,
                at,
                event_id=event_id,
                attempt=attempt,
                detail={**due, **({"resend": resend} if resend else {})},
            )
            outcome, status = (Outcome.REFUSED, 400) if refused else (Outcome.ACKNOWLEDGED, 202)
            yield Op("load-0", Kind.SEND, at, at + 2 * MS, outcome, event_id, attempt, {"n": n, "status": status})
    yield _clock(_due(len(ids)) + 10 * SECOND)


def _stored(ids: list[str], plan: dict[int, Fate], shapes: list[Shape]) -> Iterator[dict[str, Any]]:
    for n, event_id in enumerate(ids):
        place, wrong = _fate(n, plan)
        if _is_malformed(n) or wrong in ("lost", "undeserved"):
            continue
        event = {"eventId": event_id, **(shapes[n % SHAPES].body or {}), "organizationId": _organization(n)}
        if wrong == "altered":
            event["action"] = "another"
        row = {
            "event_id": event_id,
            "position": place,
            "xid": str(1000 + place // BATCH),
            "committed_at": (WALL + _committed(place)) // 1000,
            "event": event,
        }
        yield row
        if wrong == "doubled":
            yield row | {"position": place + len(ids), "xid": f"9{place}"}


def _letters(ids: list[str], plan: dict[int, Fate], shapes: list[Shape]) -> Iterator[dict[str, Any]]:
    for n, (_, wrong) in plan.items():
        if wrong == "undeserved":
            event = {"eventId": ids[n], **(shapes[n % SHAPES].body or {}), "organizationId": _organization(n)}
            at = "2027-01-15T08:00:00Z"
            yield {
                "event_id": ids[n],
                "event": event,
                "cause": "22023",
                "attempts": 1,
                "first_failed_at": at,
                "last_failed_at": at,
                "history": [{"at": at}],
            }


def _phases(size: int) -> Iterator[Op]:
    end = size / RATE
    yield _clock(0)
    for name, at in (
        ("baseline", 0),
        ("shake", AWAY - 5),
        ("heal", end - 5),
        ("recover", end - 4),
        ("drain", end),
        ("observe", end + 3),
        ("end", end + 4),
    ):
        yield Op("run", Kind.PHASE, MONOTONIC + int(at * SECOND), detail={"name": name})


def _faults() -> Iterator[Op]:
    detail: dict[str, Any] = {"fault": 0, "label": "postgres away", "blocks_store": True, "blocks_intake": False}
    at, until = MONOTONIC + int(AWAY * SECOND), MONOTONIC + int(BACK * SECOND)
    yield Op("injector", Kind.INJECT, at, at, detail=detail)
    seen = {"landed": True, "figure": 2.0, "unit": "links", "text": "synthetic"}
    yield Op("injector", Kind.WITNESS, at, at, detail=detail | seen)
    for second in (0, 0.5, 1, 1.5):
        sunk: dict[str, Any] = {"link": "w", "process": "worker-1", "by": "worker-1.1", "service": "postgres"}
        yield Op("sink", Kind.SINK, at + int(second * SECOND), detail=sunk)
    yield Op("injector", Kind.HEAL, until, until, detail=detail)


#: The breaker's states, and when they began.
STATES = [(0.0, "CLOSED"), (AWAY + 2, "OPEN"), (BACK - 0.05, "HALF_OPEN"), (BACK + 0.005, "CLOSED")]


def _probes(size: int) -> Iterator[Op]:
    for n in range(int((size / RATE + 3) * 5)):
        at = n / 5
        queue = max(0, int((at - AWAY) * RATE)) if at < BACK else max(0, int((CAUGHT_UP - at) * RATE * 3))
        detail: dict[str, Any] = {
            "answered": True,
            "health": 60 if AWAY + 2 < at < BACK else 100,
            "dead": 0,
            "queue": queue,
            "breaker": next(to for since, to in reversed(STATES) if at >= since),
            "memory_worker-1": 60 << 20,
        }
        yield Op("probe", Kind.PROBE, MONOTONIC + int(at * SECOND), detail=detail)


def _transitions() -> Iterator[dict[str, Any]]:
    for seq, ((at, to), (_, before)) in enumerate(zip(STATES, [(0.0, None), *STATES], strict=False)):
        yield {
            "process": "worker-1",
            "incarnation": "1",
            "seq": seq,
            "from": before,
            "to": to,
            "at": "2027-01-15T08:00:00Z",
            "monotonic_ns": MONOTONIC + int(at * SECOND),
            "reason": "",
        }


def _received(size: int) -> Iterator[dict[str, Any]]:
    """Four statements a batch."""
    for batch in range(size // BATCH):
        at = (WALL + _committed(batch * BATCH)) // 1000
        yield from ({"at_us": at, "by": "worker-1.1", "what": "statement", "ms": 0.5} for _ in range(4))


def _scenario(size: int) -> dict[str, Any]:
    fault = {"at_s": 5.0, "until_s": 20.0, "label": "postgres away", "fault": {"kind": "down", "service": "postgres"}}
    return {
        "schema": 1,
        "name": "synthetic",
        "story": f"{size} events that nobody sent.",
        "seed": 1,
        "drain_s": 30,
        "timeline": [fault],
        "checks": [{"name": name} for name in CHECKS.kinds()],
        "load": {},
    }


_TARGET = {
    "name": "synthetic",
    "timing": {"recovery_s": 3, "lease_s": 3, "open_within_s": 4, "health_grace_s": 1},
    "capabilities": {"order_by": "organizationId", "breaker": True, "health": True},
    "stored": {"sql": ""},
    "dead_letters": {"sql": ""},
    "queue": {"redis": []},
}
