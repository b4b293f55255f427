"""Words on the page: numbers for people, foreign text made harmless to read and to draw."""

from __future__ import annotations

import re
import unicodedata

from shaketable import plural

#: What makes a browser's typesetter start, and what ends a script: Bokeh would typeset `$$…$$`, `\(…\)` and `\[…\]`.
_DELIMITERS = str.maketrans({"$": "＄", "\\": "＼", "<": "‹", ">": "›", "&": "＆"})
#: What GitHub's runner takes for a command of the workflow, in any line of a step: its `::` may stand anywhere that
#: a line can be folded, its `##[` anywhere at all.
_COMMAND = re.compile(r":(?=:)|##(?=\[)")
#: Longest label that is drawn.
LABEL = 48


def plain(text: object, most: int = LABEL) -> str:
    """A label for a drawing: nothing in it is markup, typesetting or control, and it is short."""
    told = visible(str(text)).translate(_DELIMITERS)
    return told if len(told) <= most else told[: most - 1] + "…"


def visible(text: str) -> str:
    """Foreign text, harmless to print.

    What would be invisible, or turn the direction of reading, is shown as its code point; what a workflow's runner
    would obey (`::`, `##[`) has a space in it.
    """
    shown = "".join(
        f"⟨U+{ord(c):04X}⟩" if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") else c for c in text
    )
    return _COMMAND.sub(r"\g<0> ", shown)


def in_a_line(text: str) -> str:
    """Foreign text of several lines, the end of a log, harmless to print and as one line."""
    return " | ".join(visible(part) for part in text.splitlines() if part.strip())


def cut(text: str, most: int) -> str:
    """The beginning of a text that may be of any length, and how much was left out."""
    return text if len(text) <= most else f"{text[:most]} … and {plural.counted(len(text) - most, 'more characters')}"


def spaced(name: str) -> str:
    """An identifier as words: `no_loss` is "no loss"."""
    return name.replace("_", " ").strip()


_UNITS = {"per_s": "/s", "mib": "MiB", "bytes": "bytes", "percent": "%", "ms": "ms", "s": "s"}
_UNIT = re.compile(rf"_({'|'.join(_UNITS)})$")


def quantity(name: str, value: object) -> tuple[str, str]:
    """A figure's name without its unit, and its value with it: `intake_p99_ms`, 15.7 → ("intake p99", "15.7 ms")."""
    found = _UNIT.search(name)
    unit = _UNITS[found[1]] if found else ""
    told = number(value)
    glue = "" if unit in ("/s", "%") else " "
    return spaced(_UNIT.sub("", name)), f"{told}{glue}{unit}" if unit and told != "–" else told


def number(value: object) -> str:
    """Thousands apart, three figures after which nobody looks; a dash for what is not known."""
    if value is None or value != value:
        return "–"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.1f}" if abs(value) >= 10 else f"{value:,.3g}"


def seconds(value: float | None) -> str:
    """Seconds with one place."""
    return "–" if value is None or value != value else f"{value:,.1f} s"


def listed(parts: list[str], most: int = 4) -> str:
    """As in "a, b and c"; what is beyond `most` is only counted."""
    if len(parts) > most:
        parts = [*parts[: most - 1], f"{len(parts) - most + 1} more"]
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)
