"""Ids have the format that the manifest names, are the same for a seed, and are unique within a schedule."""

from __future__ import annotations

import random
import re

import pytest

from shaketable.event import ids

UUID = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


@pytest.mark.parametrize(
    ("id_format", "pattern"),
    [
        ("uuid", UUID),
        ("ulid", "0[0-9A-HJKMNP-TV-Z]{25}"),
        ("integer", "[1-9][0-9]*"),
        ("ORD-{uuid}", f"ORD-{UUID}"),
    ],
)
def test_ids_have_their_format_and_are_unique(id_format: str, pattern: str) -> None:
    made = [ids.maker(id_format)(rng, n) for rng in [random.Random(7)] for n in range(1_000)]
    assert [each for each in made if not re.fullmatch(pattern, each)] == []
    assert len(set(made)) == len(made)
    assert made == [ids.maker(id_format)(rng, n) for rng in [random.Random(7)] for n in range(1_000)]


def test_integers_survive_as_doubles() -> None:
    made = [int(ids.maker("integer")(random.Random(seed), 10_000_000)) for seed in range(100)]
    assert [each for each in made if int(float(each)) != each or each >= 2**53] == []


@pytest.mark.parametrize("id_format", ["uuid", "ulid", "integer", "ORD-{uuid}"])
def test_id_is_known_again_by_the_text_that_a_row_holds(id_format: str) -> None:
    event_id = ids.maker(id_format)(random.Random(1), 3)
    assert ids.normal(ids.of_row(ids.in_row(event_id), id_format), id_format) == event_id
