"""Text for people: formatted numbers, and foreign text made safe to print and to draw."""

from __future__ import annotations

import re
import unicodedata

from shaketable import plural

#: Characters that start typesetting in Bokeh (`$$…$$`, `\(…\)`, `\[…\]`) or end a script.
_DELIMITERS = str.maketrans({"$": "＄", "\\": "＼", "<": "‹", ">": "›", "&": "＆"})
#: GitHub's runner interprets these as workflow commands in any line of a step: `::` wherever a line may be folded,
#: `##[` anywhere.
_COMMAND = re.compile(r":(?=:)|##(?=\[)")
#: GitHub turns these into mentions or links even if escaped; an invisible space prevents it.
_LINKED = re.compile(r"@|#(?=\d)|:(?=//)|www(?=\.)", re.IGNORECASE)
#: Special characters of Markdown, its tables and its formulas.
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~!$&])")
#: The most characters of a text in Markdown, such as a table's cell.
MARKDOWN = 2_000
#: Longest label that is drawn.
LABEL = 48


def plain(text: object, most: int = LABEL) -> str:
    """A short label for a drawing, without markup, typesetting or control characters."""
    told = visible(str(text)).translate(_DELIMITERS)
    return told if len(told) <= most else told[: most - 1] + "…"


def visible(text: str) -> str:
    """Make foreign text safe to print.

    Invisible characters and those that change the reading direction appear as code points. A space breaks the commands
    of GitHub's runner (`::`, `##[`).
    """
    shown = "".join(
        f"⟨U+{ord(c):04X}⟩" if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") else c for c in text
    )
    return _COMMAND.sub(r"\g<0> ", shown)


def escaped(text: str, linked: bool = False) -> str:
    """Escape text for one line of Markdown: no markup, and no mention or link unless `linked`."""
    shown = visible(cut(text, MARKDOWN))
    return _MARKDOWN.sub(r"\\\1", shown if linked else _LINKED.sub("\\g<0>\u200b", shown))


def in_a_line(text: str) -> str:
    """Join several lines of foreign text, such as the end of a log, into one line that is safe to print."""
    return " | ".join(visible(part) for part in text.splitlines() if part.strip())


def cut(text: str, most: int) -> str:
    """Truncate a text to `most` characters and append the number of those left out."""
    return text if len(text) <= most else f"{text[:most]} … and {plural.counted(len(text) - most, 'more characters')}"


def spaced(name: str) -> str:
    """An identifier as words: `no_loss` is "no loss"."""
    return name.replace("_", " ").strip()


_UNITS = {"per_s": "/s", "mib": "MiB", "bytes": "bytes", "percent": "%", "ms": "ms", "s": "s"}
_UNIT = re.compile(rf"_({'|'.join(_UNITS)})$")


def quantity(name: str, value: object) -> tuple[str, str]:
    """Move the unit from a figure's name to its value: `intake_p99_ms`, 15.7 → ("intake p99", "15.7 ms")."""
    found = _UNIT.search(name)
    unit = _UNITS[found[1]] if found else ""
    told = number(value)
    glue = "" if unit in ("/s", "%") else " "
    return spaced(_UNIT.sub("", name)), f"{told}{glue}{unit}" if unit and told != "–" else told


def number(value: object) -> str:
    """Format with thousands separators and about three significant digits; a dash for an unknown value."""
    if value is None or value != value:
        return "–"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.1f}" if abs(value) >= 10 else f"{value:,.3g}"


def instant(value: float) -> str:
    """A time after T0, in seconds with two decimals."""
    return f"{value:,.2f} s"


def seconds(value: float | None) -> str:
    """Seconds with one decimal."""
    return "–" if value is None or value != value else f"{value:,.1f} s"


def listed(parts: list[str], most: int = 4) -> str:
    """Join as "a, b and c"; only the number of parts beyond `most` is given."""
    if len(parts) > most:
        parts = [*parts[: most - 1], f"{len(parts) - most + 1} more"]
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)
