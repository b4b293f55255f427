"""The bodies to be refused that a file beside the manifest gives: event.invalid, a list or a Hypothesis strategy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from shaketable.errors import ManifestError
from shaketable.load.mix import drawing
from shaketable.load.mix.own import strategy, template
from shaketable.load.mix.shape import EVENT_ID, Expect, Shape

#: Bodies that are drawn from a strategy, and the most of a list.
DRAWN, MOST = 50, 200
#: Stands for the event's id in a body.
ID = "{id}"
_QUOTED = re.compile(rb'"\{id\}"(?!:)')


def shapes(folder: Path, place: str, seed: int, *, integers: bool = False) -> Iterator[Shape]:
    """A shape for each body: an object, or any body as str or bytes; ids may be integers.

    Raises ManifestError, with the remedy.
    """
    for number, each in enumerate(_bodies(folder, place, seed)):
        yield _shape(f"{place.partition(':')[2]}[{number}]", _raw(each, place, integers))


def _bodies(folder: Path, place: str, seed: int) -> Sequence[Any]:
    from hypothesis.strategies import SearchStrategy

    found = drawing.bounded(lambda: strategy.named(folder, place, "event.invalid"), place)
    if isinstance(found, SearchStrategy):
        found = drawn(lambda: drawing.examples(found, DRAWN, seed, key=repr), place)
    if not isinstance(found, list | tuple):
        raise ManifestError(
            f"expected {place} (event.invalid) to be a list of bodies or a Hypothesis strategy, "
            f"got a {type(found).__name__}: write [{{…}}, '{{', …]"
        )
    if not 0 < len(found) <= MOST:
        raise ManifestError(f"expected 1 to {MOST} bodies in {place} (event.invalid), got {len(found)}")
    return found


def drawn(draw: Callable[[], list[Any]], place: str) -> list[Any]:
    """What a user's strategy draws. Raises ManifestError for one that raises, gives nothing or never ends."""
    try:
        return drawing.bounded(draw, place)
    except ManifestError:
        raise
    except Exception as e:
        first = (str(e).splitlines() or [""])[0][:160]
        raise ManifestError(f"{place} raised {type(e).__name__} while a body was drawn: {first}") from e


def _raw(body: Any, place: str, integers: bool) -> bytes:
    if isinstance(body, bytes):
        raw = body
    elif isinstance(body, str):
        raw = body.encode("utf-8", "surrogatepass")
    else:
        try:
            raw = template.encoded(template.exact(body)).encode()
        except (TypeError, ValueError, RecursionError) as e:
            raise ManifestError(f"{place} (event.invalid): {e}: give JSON values, or whole bodies as text") from e
        if integers:  # where "{id}" is a value, not a name
            raw = _QUOTED.sub(EVENT_ID, raw)
    return raw.replace(ID.encode(), EVENT_ID)


def _shape(why: str, raw: bytes) -> Shape:
    try:
        return Shape(0, Expect.REFUSE, why, text=raw.decode())
    except UnicodeDecodeError:
        return Shape(0, Expect.REFUSE, why, raw=raw)
