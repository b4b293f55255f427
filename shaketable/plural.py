"""Numbers with nouns: "8 events are", "1 event is"."""

from __future__ import annotations

import re

#: A plural noun, and the verb that may follow it.
_NOUN = re.compile(r"\b(\w+?)(?<![su])(ies|s)\b(?: (are|were|have|do|wait|differ)\b)?")
#: A second verb of the same noun: "events were lost, and are stored".
_AND = re.compile(r"(?<=, and )(are|were|have|do|wait|differ)\b")
_VERBS = {"are": "is", "were": "was", "have": "has", "do": "does", "wait": "waits", "differ": "differs"}


def counted(number: float, words: str) -> str:
    """Return `8 events are lost`; for 1 the first plural noun of `words` and its verbs become singular."""
    shown = f"{number:,.0f}" if float(number).is_integer() else f"{number:g}"
    return f"{shown} {_AND.sub(_one, _NOUN.sub(_singular, words, count=1)) if number == 1 else words}"


def _singular(found: re.Match[str]) -> str:
    stem, end, verb = found.groups()
    return f"{stem}{'y' if end == 'ies' else ''}" + (f" {_VERBS[verb]}" if verb else "")


def _one(found: re.Match[str]) -> str:
    return _VERBS[found[1]]
