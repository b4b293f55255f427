"""The audit event's schedule is that of earlier versions: a seed in a report still plays the same load.

But for what is sent again: later versions have more kinds of resends.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date

import msgspec
import pytest

from shaketable.load.mix import Mix, everyday, malformed
from shaketable.load.mix.shape import Expect, Shape
from shaketable.load.schedule import Load, body, schedule

DAY = date(2026, 11, 29)
#: No shape that Hypothesis draws: another version of it may draw others.
GOOD = [
    {"timestamp": f"2026-11-{day:02d}T00:00:00Z", "action": "é" * day, "status": "success", **more}
    for day in range(1, 29)
    for more in ({}, {"organizationId": f"own-{day}"})
]
DRAWN = [Shape(0, Expect.ACCEPT, "", body=dict(each)) for each in GOOD]
SHAPES = [
    msgspec.structs.replace(shape, number=number)
    for number, shape in enumerate([*DRAWN, *malformed.shapes(DAY), *everyday.shapes(DAY)])
]


@pytest.mark.parametrize(
    ("seed", "mix", "digest"),
    [
        (1, Mix(), "f54b4802f4325e54"),
        (7, Mix(malformed=0.3, twins=0.2, ordered=0.5), "d4570d64a8fd042f"),
        (20261129, replace(Mix(), everyday=0.5, hot=0.8, organizations=7), "96a8535a5c2c2843"),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else "",
)
def test_same_seed_gives_the_same_schedule_and_bodies_as_before(seed: int, mix: Mix, digest: str) -> None:
    planned = schedule(Load(rate=100, shape="wave"), mix, SHAPES, seed)
    found = hashlib.sha256()
    for each in planned:
        once = msgspec.structs.replace(each, resend="", changed=None)
        found.update(msgspec.json.encode(once) + body(each, SHAPES[each.shape]))
    assert found.hexdigest()[:16] == digest
