"""The corpus of a target's own events: drawn, hostile and malformed shapes, cached for the user."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from shaketable import rundir
from shaketable.errors import ManifestError, RunDirError
from shaketable.event import pointer
from shaketable.event.table import EventTable
from shaketable.files import folders, foreign
from shaketable.load.mix import Mix, drawing
from shaketable.load.mix.own import given, hostile_values, invalid, strategy, template
from shaketable.load.mix.own.orders import Orders
from shaketable.load.mix.own.schema import MOST, Schema
from shaketable.load.mix.shape import Expect, Shape

#: Increased when shapes are derived differently, to invalidate older caches.
EDITION = 8
#: The share of drawn shapes and the most of them; the others are derived from them.
DRAWN, MOST_DRAWN = 0.5, 100


@dataclass(frozen=True)
class OwnShapes:
    """The events of a manifest's [event]; `folder` is the manifest's."""

    table: EventTable
    folder: Path

    def corpus(self, mix: Mix, seed: int, today: date | None = None, cache: Path | None = None) -> list[Shape]:
        """At most `mix.shapes` well-formed shapes, and the malformed ones; deterministic for the same arguments.

        Raises ManifestError, with the remedy, when nothing can be drawn.
        """
        day = today or datetime.now(UTC).date()
        path = (cache or folders.cache() / "corpus") / self._name(mix, seed, day)
        with suppress(OSError, RunDirError):
            if kept := list(rundir.read_lines(path, Shape)):
                return kept
        shapes = [msgspec.structs.replace(shape, number=n) for n, shape in enumerate(self._shapes(mix, seed, day))]
        with suppress(OSError):  # the next run takes a few seconds longer
            path.parent.mkdir(parents=True, exist_ok=True)
            rundir.write_lines(path, shapes)
        return shapes

    def _name(self, mix: Mix, seed: int, day: date) -> str:
        """The cache file's name: it depends only on inputs that determine the shapes."""
        key = [EDITION, mix.shapes, mix.organizations, mix.ordered_organizations, seed, str(day), self.sources]
        return f"{day}-{_digest([*key, version('hypothesis')])}.jsonl"

    @property
    def sources(self) -> str:
        """A digest of the table, of the files that it names, and of the modules beside those, which they may import."""
        named = (self.table.schema, self.table.strategy, self.table.invalid)
        files = [self.folder / each.partition(":")[0] for each in named if each]
        beside = {each for file in files if file.suffix == ".py" for each in file.parent.glob("*.py")}
        told = [_text(file) for file in (*files, *sorted(beside - {*files}))]
        return _digest([msgspec.to_builtins(self.table), *told])

    @cached_property
    def schema(self) -> Schema | None:
        """The JSON Schema; None for a strategy. Raises ManifestError."""
        return Schema(self.folder / self.table.schema) if self.table.schema else None

    def _shapes(self, mix: Mix, seed: int, day: date) -> Iterator[Shape]:
        rng = random.Random(seed)
        count = mix.shapes if self.schema is None else min(max(1, int(mix.shapes * DRAWN)), MOST_DRAWN)
        bodies = self._bodies(count, seed, day)
        orders = Orders(self.table.order_by, self.schema).chosen(bodies, mix.ordered_organizations + mix.organizations)
        good: list[tuple[str, Any]] = [("drawn", body) for body in bodies]
        if self.schema is not None:
            good += hostile_values.derived(bodies, self._draws, mix.shapes - len(good), rng)
        for number, (why, body) in enumerate(good):
            yield self._shape(why, body, orders, number)
        allows = self.schema.allows if self.schema else None
        derived = invalid.shapes(min(bodies, key=lambda each: len(repr(each))), self.table, allows)
        if self.table.invalid is None:
            yield from derived
        else:
            yield from given.shapes(self.folder, self.table.invalid, seed, integers=self.table.id_format == "integer")
            yield from (shape for shape in derived if shape.expect is Expect.EITHER)

    def _draws(self, body: Any) -> bool:
        """Whether an event could be drawn, and the sample id is in its place: a replacement may have taken it."""
        assert self.schema is not None
        with suppress(LookupError):
            found = pointer.find(body, pointer.steps(self.table.place))
            return bool(found == template.sample_id(self.table)) and self.schema.draws(body)
        return False

    def _shape(self, why: str, body: Any, orders: Orders, number: int) -> Shape:
        ordered = orders.fit(body)
        text = template.text(body, self.table, ordered=ordered)
        order = orders.written[number % len(orders.written)] if ordered else None
        return Shape(0, Expect.ACCEPT, why, text=text, order=order)

    def _bodies(self, count: int, seed: int, day: date) -> list[Any]:
        """Drawn events with a sample id."""
        drawn = self._examples(count, seed, day)
        if wrong := [type(each).__name__ for each in drawn if not isinstance(each, dict)]:
            raise ManifestError(f"expected {self._source} to give JSON objects, got a {wrong[0]}")
        try:
            drawn = [template.exact(each) for each in drawn]
        except TypeError as e:
            raise ManifestError(f"{self._source}: {e}: give strings, numbers, booleans, None, lists and dicts") from e
        placed = [template.with_id(each, self.table) for each in drawn if _has_parent(each, self.table.place)]
        if not placed:
            raise ManifestError(
                f"event.{self.table.key} {self.table.place!r} leads nowhere: no drawn event has an object to hold it; "
                f"the first has {', '.join(map(repr, drawn[0])) or 'no members'}"
            )
        if not (placed := [body for body in placed if _storable(body)]):
            raise ManifestError(f"{self._source} gives only events with NUL or lone surrogates: leave those out")
        if self.schema is None:
            return placed
        self.schema.drawn(placed)
        if not (fitting := [body for body in placed if self.schema.allows(body)]):
            raise ManifestError(
                f"no event with an id of the format {self.table.id_format!r} at {self.table.place} satisfies "
                f"{self._source}: {self.schema.mistakes(placed[0])}: name another event.id_format"
            )
        return fitting

    @property
    def _source(self) -> str:
        return str(self.folder / str(self.table.schema or self.table.strategy))

    def _examples(self, count: int, seed: int, day: date) -> list[Any]:
        from hypothesis import errors
        from jsonschema.exceptions import _RefResolutionError  # type: ignore[attr-defined]  # private, and raised

        place = self.table.strategy

        def draw() -> list[Any]:
            drawn_from = self.schema.strategy(day) if self.schema else strategy.load(self.folder, place or "")
            return drawing.examples(drawn_from, count, seed, key=lambda each: json.dumps(each, default=repr))

        try:
            found = drawing.bounded(draw, self._source)
        except ManifestError:
            raise
        except _RefResolutionError as e:
            raise ManifestError(
                f"{self._source} cannot be drawn from: a reference is recursive or leads elsewhere: "
                "name a strategy instead (event.strategy)"
            ) from e
        except (errors.Unsatisfiable, errors.InvalidArgument) as e:
            raise ManifestError(f"{self._source} cannot be drawn from ({_first(e)}): does any event satisfy it?") from e
        except Exception as e:
            raise ManifestError(
                f"{self._source} raised {type(e).__name__} while an event was drawn: {_first(e)}"
            ) from e
        if not found:
            raise ManifestError(f"{self._source} cannot be drawn from: no event satisfies it")
        return found


def _text(file: Path) -> str:
    with suppress(UnicodeDecodeError, foreign.Refused):  # whoever reads it says so; a neighbour may be anything
        return foreign.text(file, MOST) if file.is_file() else ""
    return ""


def _digest(of: Any) -> str:
    return hashlib.sha256(json.dumps(of).encode()).hexdigest()[:16]


def _storable(body: Any) -> bool:
    """Whether it is free of NUL and lone surrogates, which a target may refuse; `invalid` has shapes with them."""
    text = json.dumps(body, ensure_ascii=False, default=str).replace("\\\\", "")  # no escaped backslash
    return "\\u0000" not in text and not any("\ud800" <= point <= "\udfff" for point in text)


def _has_parent(body: Any, pointed: str) -> bool:
    with suppress(LookupError):
        return isinstance(pointer.find(body, pointer.steps(pointed)[:-1]), dict)
    return False


def _first(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0][:160]
