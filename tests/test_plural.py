"""A number agrees with its noun and verb."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from shaketable import plural
from shaketable.checks.kinds import dead_letters_explained, no_loss, refuses_rightly


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
        ("events were lost, and are stored only now", "1 event was lost, and is stored only now"),
        ("events wait, and nobody has them", "1 event waits, and nobody has them"),
        ("stored rows differ from what was sent", "1 stored row differs from what was sent"),
        ("entries", "1 entry"),
        ("times", "1 time"),
    ],
)
def test_one_is_singular_and_more_are_as_they_were(words: str, one: str) -> None:
    assert plural.counted(1, words) == one
    assert plural.counted(1_234_567, words) == f"1,234,567 {words}"
    assert plural.counted(0, words) == f"0 {words}"


def literals() -> Iterator[str]:
    """The words of every `counted(…, "words")` in the package, and of the sets of its checks."""
    yield from (no_loss._GONE, no_loss._RESENT, *dead_letters_explained._MEANING.values())
    yield from refuses_rightly._MEANING.values()
    for path in Path(plural.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("counted") and len(node.args) == 2:
                words = node.args[1]
                if isinstance(words, ast.Constant):
                    yield str(words.value)


@pytest.mark.parametrize("words", sorted(set(literals())))
def test_every_sentence_on_one_is_singular(words: str) -> None:
    assert not {"events", "letters", "are", "were", "do", "wait"} & set(plural.counted(1, words).split())
