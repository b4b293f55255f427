"""Runs to be shown: one with something in every lane, one in which events went wrong, one full of hostile text."""

from __future__ import annotations

from pathlib import Path

import msgspec

from shaketable import rundir
from shaketable.checks import HealthHonest, NoDuplicates, NoLoss, OrderKept
from shaketable.rundir import RunDir
from tests.support.book import Part
from tests.support.histories import asks, breaker, every, fault, probe, run_of, sent, stored

#: Each would do harm in its own way: run, load, be typeset, leave its attribute, end the script, turn the text around.
HOSTILE = "<script>alert(1)</script><img src=https://evil.example/x>$$x$$\\(y\\)\"'><!--\u202egnp"
#: And what has no place to be broken.
LONG = "w" * 400


def whole(*parts: Part) -> list[Part]:
    """A run with something in every lane."""
    events = [sent(f"e{i}", at=i).acknowledged(i + 0.01) for i in range(90)]
    kept = [stored(f"e{i}", at=i + 1) for i in range(90)]
    seen = [probe(at, stored=min(90, at), queue=max(0, at - 20)) for at in every(0.5, 0, 90)]
    shaken: list[Part] = [fault(20, 50, kind="down"), breaker((0, "CLOSED"), (21, "OPEN"), (52, "CLOSED"))]
    return [*events, *kept, *seen, *shaken, asks(NoLoss()), *parts]


def wrong(*ids: str) -> list[Part]:
    """The store was unavailable and the score did not say so; three events were lost, one doubled, two reordered."""
    events = [sent(f"e{i}", at=i, organization=f"o{i}").acknowledged(i + 0.01) for i in range(90)]
    kept = [stored(f"e{i}", at=i + 1 if i < 20 or i >= 50 else 51) for i in range(90)]
    named: list[Part] = [
        sent(event_id, at=30 + n, organization=f"x{n}").acknowledged(30.1 + n) for n, event_id in enumerate(ids)
    ]
    twice: list[Part] = [
        sent("twice", at=60, organization="t").acknowledged(60.1),
        stored("twice", 61),
        stored("twice", 62),
    ]
    swapped = [sent("first", at=70).acknowledged(70.1), sent("second", at=71).acknowledged(71.1)]
    seen = [probe(at, stored=at, queue=0 if at < 20 or at > 52 else at) for at in every(0.5, 0, 100)]
    away: list[Part] = [
        fault(20, 50, kind="down", blocks_store=True),
        breaker((0, "CLOSED"), (21, "OPEN"), (52, "CLOSED")),
    ]
    asked = asks(NoLoss(), NoDuplicates(), OrderKept(), HealthHonest())
    return [*events, *kept, *named, *twice, *swapped, stored("first", 75), stored("second", 73), *seen, *away, asked]


def hostile_run(folder: Path, hostile: str = HOSTILE) -> RunDir:
    """Foreign text in every field that may hold some."""
    run = run_of(whole(fault(60, 70, hostile), breaker((0, hostile), process=hostile)), folder)
    told = msgspec.json.decode((run / rundir.SCENARIO).read_bytes())
    rundir.write_json(
        run / rundir.SCENARIO, {**told, "name": hostile, "story": hostile, "settings": {hostile: hostile}}
    )
    rundir.write_json(run / rundir.TARGET, {"name": hostile})
    rundir.write_json(run / rundir.ENVIRONMENT, {hostile: hostile, "packages": {hostile: hostile}})
    found = {"verdict": "failed", "why": hostile, "counts": {hostile: 1}, "members": {hostile: [hostile]}}
    checks = {hostile: {**found, "required": True}, "no_loss": {**found, "required": True}}
    life = {
        "event_id": hostile,
        "fate": hostile,
        "story": [hostile],
        "last_seen": hostile,
        "meanwhile": [hostile],
        "at": 42.0,
    }
    rundir.write_json(
        run / rundir.VERDICT,
        {"verdict": hostile, "checks": checks, "figures": {hostile: 1.5}, "lives": [life], "reasons": [hostile]},
    )
    return run
