"""The corpus: the shapes of one run, drawn by Hypothesis from a seed and kept in the user's cache.

A seed means the same only within one version of Hypothesis, so a run keeps its corpus beside its journal.
"""

from __future__ import annotations

import hashlib
import tempfile
import warnings
from collections.abc import Iterable
from contextlib import AbstractContextManager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec

from shaketable import rundir
from shaketable.errors import RunDirError
from shaketable.files import folders
from shaketable.load.mix import Mix, everyday, hostile, malformed
from shaketable.load.mix.shape import Expect, Shape

#: Raised when the strategies change, so that an older cache is not taken for theirs.
EDITION = 2


def corpus(mix: Mix, seed: int, today: date | None = None, cache: Path | None = None) -> list[Shape]:
    """`mix.shapes` hostile shapes, all malformed ones and, where asked for, the ordinary ones; drawn once a day.

    The same for the same arguments.
    """
    day = today or datetime.now(UTC).date()
    folder = cache or folders.cache() / "corpus"
    path = folder / _name(mix, seed, day)
    kept = _read(path)
    if kept is None:
        kept = _numbered([*_drawn(mix.shapes, seed, day), *malformed.shapes(day)])
        _keep(path, kept)
    return _numbered([*kept, *everyday.shapes(day)]) if mix.everyday else kept


def _name(mix: Mix, seed: int, day: date) -> str:
    """Only what decides the shapes is in the name."""
    import hypothesis  # half a second, which a cached corpus need not pay twice

    key = f"{EDITION}/{mix.shapes}/{seed}/{day}/{hypothesis.__version__}"
    return f"{day}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.jsonl"


def _read(path: Path) -> list[Shape] | None:
    """A cached corpus; none when it is missing or cannot be read, for then it is drawn again."""
    try:
        return list(rundir.read_lines(path, Shape)) or None
    except (OSError, RunDirError):
        return None


def _keep(path: Path, shapes: Iterable[Shape]) -> None:
    """Cache a corpus and forget those of other days; one that cannot be written costs the next run 3 seconds."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        rundir.write_lines(path, shapes)
        for old in path.parent.glob("*.jsonl"):
            if not old.name.startswith(path.name[:10]):
                old.unlink()


def _numbered(shapes: Iterable[Shape]) -> list[Shape]:
    return [msgspec.structs.replace(shape, number=number) for number, shape in enumerate(shapes)]


def _drawn(count: int, seed: int, day: date) -> list[Shape]:
    """`count` shapes out of Hypothesis: generation alone, no database, nothing written to the working folder."""
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import seed as seeded

    bodies: dict[bytes, dict[str, Any]] = {}  # by their text: Hypothesis repeats itself

    @seeded(seed)
    @settings(
        max_examples=count + count // 2 + 20,
        database=None,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(hostile.bodies(day))
    def collect(body: dict[str, Any]) -> None:
        bodies.setdefault(msgspec.json.encode(body), body)

    with tempfile.TemporaryDirectory() as home, _own_home(Path(home)), _no_local_constants(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        collect()
    return [Shape(0, Expect.ACCEPT, _why(body), body=body) for body in list(bodies.values())[:count]]


def _own_home(home: Path) -> AbstractContextManager[Any]:
    """Hypothesis writes tables to a folder of the working directory otherwise."""
    return patch("hypothesis.configuration.__hypothesis_home_directory", home)


def _no_local_constants() -> AbstractContextManager[Any]:
    """Let a seed mean the same in each process.

    Hypothesis also draws constants that it finds in whichever local modules are loaded.
    """
    from hypothesis.internal.conjecture import providers
    from hypothesis.internal.constants_ast import Constants

    return patch.object(providers, "_get_local_constants", Constants)


def _why(body: dict[str, Any]) -> str:
    """What stands out in a shape, for the reader of a corpus."""
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
