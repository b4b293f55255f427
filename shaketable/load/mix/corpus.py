"""The corpus: the shapes of one run, drawn by Hypothesis from a seed and cached for the user.

A seed is reproducible only within one version of Hypothesis, so a run saves its corpus in its run directory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from shaketable import rundir
from shaketable.errors import RunDirError
from shaketable.files import folders
from shaketable.load.mix import Mix, everyday, malformed, months, numeric, sized
from shaketable.load.mix.shape import Expect, Shape

#: Increased when the strategies change, to invalidate older caches.
EDITION = 2


def corpus(
    mix: Mix,
    seed: int,
    today: date | None = None,
    cache: Path | None = None,
    max_bytes: int | None = None,
    numbers: bool = False,
    frame: int = 0,
) -> list[Shape]:
    """Return `mix.shapes` hostile shapes, all malformed ones and, if the mix has any, everyday ones and month ends.

    With the limit that a target announces, also shapes around powers of two and around that limit, `frame` bytes of
    which a batch takes; with `numbers`, for a target that says how it keeps them, also shapes with numbers that a
    double does not hold.

    Deterministic for the same arguments; drawn once a day.
    """
    day = today or datetime.now(UTC).date()
    folder = cache or folders.cache() / "corpus"
    path = folder / _name(mix, seed, day)
    kept = _read(path)
    if kept is None:
        kept = _numbered([*_drawn(mix.shapes, seed, day), *malformed.shapes(day)])
        _keep(path, kept)
    more = [*everyday.shapes(day)] if mix.everyday else []
    more += [*months.shapes(day)] if mix.month_ends else []
    more += [*sized.shapes(day, max_bytes, frame)] if max_bytes else []
    more += [*numeric.shapes(day)] if numbers else []
    return _numbered([*kept, *more]) if more else kept


def _name(mix: Mix, seed: int, day: date) -> str:
    """The cache file's name: it depends only on inputs that determine the shapes."""
    key = f"{EDITION}/{mix.shapes}/{seed}/{day}/{version('hypothesis')}"
    return f"{day}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.jsonl"


def _read(path: Path) -> list[Shape] | None:
    """The cached corpus; None when it is missing or unreadable, so that it is drawn again."""
    try:
        return list(rundir.read_lines(path, Shape)) or None
    except (OSError, RunDirError):
        return None


def _keep(path: Path, shapes: Iterable[Shape]) -> None:
    """Cache a corpus and remove those of other days; if that fails, the next run takes 3 seconds longer."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        rundir.write_lines(path, shapes)
        for old in path.parent.glob("*.jsonl"):
            if not old.name.startswith(path.name[:10]):
                old.unlink()


def _numbered(shapes: Iterable[Shape]) -> list[Shape]:
    return [msgspec.structs.replace(shape, number=number) for number, shape in enumerate(shapes)]


def _drawn(count: int, seed: int, day: date) -> list[Shape]:
    """Draw `count` hostile shapes."""
    from shaketable.load.mix import drawing, hostile  # they load Hypothesis, which takes half a second

    bodies = drawing.examples(hostile.bodies(day), count, seed, key=msgspec.json.encode)
    return [Shape(0, Expect.ACCEPT, _why(body), body=body) for body in bodies]


def _why(body: dict[str, Any]) -> str:
    """The notable properties of a shape, for the reader of a corpus."""
    text = msgspec.json.encode(body).decode()
    marks = {
        "long": len(text) > 2_000,
        "beyond ASCII": not text.isascii(),
        "beyond the BMP": any(ord(point) > 0xFFFF for point in text),
        "details": "details" in body,
        "nested": "[[" in text or "{}" in text or text.count("{") > 3,
        "markup": "<" in text or "$" in text,
        "old": not body["timestamp"].startswith(str(datetime.now(UTC).year)[:3]),
        "offset": not body["timestamp"].endswith("Z"),
    }
    return ", ".join(name for name, there in marks.items() if there) or "plain"
