"""The kind of an SQL statement: its verb and the thing that it names, never a value."""

from __future__ import annotations

import re

_COMMENT = re.compile(r"\s*(?:--[^\n]*\n|/\*.*?\*/)", re.DOTALL)
_NAME = r'"?([\w$]+(?:"?\."?[\w$]+)*)"?'
#: Words between the verb and the name of a statement that defines something.
_THINGS = (
    "or|replace|temporary|temp|unlogged|unique|table|index|view|materialized|schema|function|procedure|constraint|"
    "trigger|sequence|type|role|database|extension|only|concurrently|if|not|exists"
)
#: In order: the first that matches names the kind.
_FORMS = tuple(
    (re.compile(pattern, re.IGNORECASE), kind)
    for pattern, kind in (
        (r"(?:begin|start\s+transaction)\b", "BEGIN"),
        (r"(?:commit|end)\s+prepared\b", "COMMIT PREPARED"),
        (r"prepare\s+transaction\b", "PREPARE TRANSACTION"),
        (r"(?:commit|end)\b", "COMMIT"),
        (r"rollback\s+to\b", "ROLLBACK TO"),
        (r"(?:rollback|abort)\b", "ROLLBACK"),
        (r"savepoint\b", "SAVEPOINT"),
        (r"release\b", "RELEASE"),
        (rf"insert\s+into\s+{_NAME}", "INSERT"),
        (rf"update\s+(?:only\s+)?{_NAME}", "UPDATE"),
        (rf"delete\s+from\s+(?:only\s+)?{_NAME}", "DELETE"),
        (rf"merge\s+into\s+{_NAME}", "MERGE"),
        (rf"copy\s+{_NAME}", "COPY"),
        (rf"(?:create|alter|drop|truncate)\s+(?:(?:{_THINGS})\s+)*{_NAME}", ""),
        (rf"select\s+{_NAME}\s*\(", "SELECT"),
    )
)
_WITHIN = re.compile(rf"\b(insert\s+into|update|delete\s+from|merge\s+into)\s+(?:only\s+)?{_NAME}", re.IGNORECASE)
_FROM = re.compile(rf"\bfrom\s+(?:only\s+)?{_NAME}", re.IGNORECASE)
_WORDS = re.compile(r"[a-z]+", re.IGNORECASE)


def kind(text: str) -> str:
    """`COMMIT`, `INSERT orders`, `SELECT pg_try_advisory_lock`. Numbers in names become `#`: a partition's, a month's.

    `text` may be cut off: only the beginning of a statement is read.
    """
    while found := _COMMENT.match(text):
        text = text[found.end() :]
    text = text.lstrip(" \t\r\n(;")
    for form, verb in _FORMS:
        if match := form.match(text):
            return _told(verb or text, match[1] if match.re.groups else "")
    if not (word := _WORDS.match(text)):
        return "empty statement" if not text else "statement"
    within = _WITHIN.search(text) if word[0].upper() == "WITH" else None
    if within:
        return _told(within[1], within[2])
    named = _FROM.search(text) if word[0].upper() in ("SELECT", "WITH") else None
    return _told(word[0], named[1] if named else "")


def _told(verb: str, name: str) -> str:
    first = verb.split(None, 1)[0].upper()
    verb = verb if verb.isupper() else first
    return f"{verb} {re.sub(r'[0-9]+', '#', name.replace(chr(34), ''))}".strip()
