"""A pattern of a schema matches what ECMA-262 says: a processor refuses what Python's `re` takes beyond that."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from shaketable.load.mix import drawing
from shaketable.load.mix.own import pattern
from shaketable.load.mix.own.schema import Schema

DAY = date(2026, 11, 29)
#: Texts that match and texts that do not, by ECMA-262.
PATTERNS: dict[str, tuple[list[str], list[str]]] = {
    r"^\d{2}$": (["12"], ["\u0661\u0662", "12\n"]),
    r"^\D$": (["a", "\u0661"], ["1"]),
    r"^\w+$": (["aZ_9"], ["\u00e9", "a-b"]),
    r"^[\w.-]+$": (["a.b-c"], ["\u00e9", "a b"]),
    r"^[^\d]$": (["a", "\u0661"], ["1"]),
    r"^\s$": (["\u00a0", "\ufeff", "\t"], ["\x1c", "\x85", "a"]),
    r"^\S+$": (["\x85", "a"], ["a b", "\ufeff"]),
    r"^[^\W_]+$": (["a9"], ["_", "\u00e9"]),
    r"^[\W^]$": (["^", "\u00e9", "-"], ["a"]),
    r"^[^\W\d]$": (["a", "_"], ["1", "-", "\u0661"]),
    r"^[\s\S]$": (["a", "\n", "\x85"], ["", "ab"]),
    r"^.$": (["a", "\x85"], ["\r", "\n", "\u2028"]),
    r"^(a$|b\$)": (["a", "b$c"], ["a\n", "b"]),
    r"^[$.]\\$": (["$\\", ".\\"], ["a\\", "$\\\n"]),
    r"^[]d]\]$": (["]]", "d]"], ["\\]"]),
    r"(?i)^\d$": (["1", "\u0661"], ["a"]),  # flags are Python's, so it is a pattern of Python
}


@pytest.mark.parametrize("each", PATTERNS)
def test_pattern_matches_what_ecma_262_says(each: str) -> None:
    matching, others = PATTERNS[each]
    rewritten = re.compile(pattern.python(each))
    assert [text for text in (*matching, *others) if rewritten.search(text)] == matching


def test_only_patterns_of_a_schema_are_rewritten() -> None:
    schema = {
        "properties": {"pattern": {"pattern": "^a$"}, "x": {"const": {"pattern": "^a$"}}},
        "patternProperties": {r"^\d$": True, "^[0-9]$": {"items": [{"pattern": "$"}]}},
    }
    assert pattern.rewritten(schema) == {
        "properties": {"pattern": {"pattern": r"^a\Z"}, "x": {"const": {"pattern": "^a$"}}},
        "patternProperties": {r"^[0-9]\Z": True, "^[0-9]$": {"items": [{"pattern": r"\Z"}]}},
    }


def test_drawn_texts_and_names_match_their_patterns_in_ascii(tmp_path: Path) -> None:
    texts: dict[str, Any] = {"zip": r"^\d{5}$", "user": r"^\w{2,}$", "mail": r"^[\w.]+@\w+$"}
    schema = {
        "type": "object",
        "required": [*texts],
        "properties": {name: {"type": "string", "pattern": each} for name, each in texts.items()},
        "patternProperties": {r"^\d+$": {"type": "null"}, r"^x-\w+$": {"type": "null"}},
        "additionalProperties": False,
        "minProperties": 4,
    }
    (tmp_path / "s.json").write_text(json.dumps(schema))
    asked = Schema(tmp_path / "s.json")
    drawn = drawing.examples(asked.strategy(DAY), 40, 1, key=json.dumps)
    assert len(drawn) > 20
    assert all(len(each) > 3 and json.dumps(each, ensure_ascii=False).isascii() for each in drawn)
    assert all(asked.allows(each) and asked.draws(each) for each in drawn)
    assert not asked.allows({**drawn[0], "zip": "\u0661\u0662\u0663\u0664\u0665"})
    assert not asked.allows({**drawn[0], "zip": "12345\n"})
    assert not asked.allows({**drawn[0], "\u0661": None})
