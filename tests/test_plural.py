"""A number agrees with its noun and verb."""

from __future__ import annotations

import pytest

from shaketable import plural
from shaketable.checks.kinds import dead_letters_explained, refuses_rightly


@pytest.mark.parametrize(
    ("words", "one"),
    [
        ("events are stored more than once", "1 event is stored more than once"),
        ("acknowledged events were refused", "1 acknowledged event was refused"),
        (
            "poisonous events are neither stored nor dead letters",
            "1 poisonous event is neither stored nor dead letters",
        ),
        ("dead letters do not say why", "1 dead letter does not say why"),
        ("events have several rows", "1 event has several rows"),
        ("events wait", "1 event waits"),
        ("stored rows differ from what was sent", "1 stored row differs from what was sent"),
        ("entries", "1 entry"),
        ("times", "1 time"),
    ],
)
def test_one_is_singular_and_more_are_as_they_were(words: str, one: str) -> None:
    assert plural.counted(1, words) == one
    assert plural.counted(1_234_567, words) == f"1,234,567 {words}"
    assert plural.counted(0, words) == f"0 {words}"


def test_every_meaning_of_a_set_has_a_singular() -> None:
    for meaning in [*dead_letters_explained._MEANING.values(), *refuses_rightly._MEANING.values()]:
        assert not {"events", "letters", "are", "were", "do"} & set(plural.counted(1, meaning).split())
