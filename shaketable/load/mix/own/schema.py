"""Draw events from a JSON Schema, and decide whether an event satisfies it."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shaketable.errors import ManifestError
from shaketable.files import foreign
from shaketable.load.mix.own import pattern
from shaketable.load.mix.own.closed import closed
from shaketable.load.mix.own.pattern import DATA, TABLES

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy
    from jsonschema import FormatChecker
    from jsonschema.protocols import Validator

#: The most bytes of a schema.
MOST = 1 << 20


class Schema:
    """A JSON Schema. Raises ManifestError, with the remedy, for one that cannot be drawn from."""

    def __init__(self, path: Path) -> None:
        self.path = path
        text = _read(path)
        try:
            _validator(path, _parsed(path, text, Decimal))  # before its patterns are rewritten
            self._plain = pattern.rewritten(_parsed(path, text, float))
            exact = pattern.rewritten(_parsed(path, text, Decimal))
            self._strict = _validator(path, exact)
            self._closed = _validator(path, closed(exact))
            self._check_formats()
        except RecursionError as e:
            raise ManifestError(f"schema {path} is nested too deeply: name a strategy instead (event.strategy)") from e

    def strategy(self, day: date) -> SearchStrategy[Any]:
        """Events that satisfy it, with no members but those that it names, unless it allows others explicitly."""
        from hypothesis_jsonschema import from_schema  # takes half a second

        from shaketable.load.mix.own import compatibility

        compatibility.install()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a format is overridden
            return from_schema(closed(deepcopy(self._plain)), custom_formats=_formats(day), allow_x00=False)

    def allows(self, body: Any) -> bool:
        """Whether an event satisfies the schema as it is written."""
        return _satisfied(self._strict, body)

    def draws(self, body: Any) -> bool:
        """Whether an event could be drawn; of a text with a `format`, only drawn texts satisfy it."""
        return _satisfied(self._closed, body) and self.allows(body)  # closed choices of a oneOf overlap less

    def drawn(self, bodies: Iterable[Any]) -> None:
        """Remember the texts of drawn events, by format: no others are known to satisfy it."""
        known: set[tuple[str, object]] = set()
        recording = self._closed.evolve(format_checker=_formats_of(_add_to(known)))
        for body in bodies:
            _satisfied(recording, body)
        self._closed = self._closed.evolve(format_checker=_formats_of(lambda *each: each in known))

    def mistakes(self, body: Any) -> str:
        """Why an event does not satisfy the schema, in words; "" if it does."""
        try:
            error = next(iter(self._strict.iter_errors(body)), None)
        except (ArithmeticError, RecursionError) as e:
            return f"{type(e).__name__} while it is compared with the schema"
        return "" if error is None else f"{error.message[:120]} at /{'/'.join(map(str, error.absolute_path))}"

    def _check_formats(self) -> None:
        from hypothesis_jsonschema._from_schema import STRING_FORMATS

        for name in sorted(set(_named_formats(self._plain)) - STRING_FORMATS.keys() - _formats(date.today()).keys()):
            raise ManifestError(
                f"schema {self.path}: no text of the format {name!r} can be drawn: write a pattern or an enum, "
                "or name a strategy instead (event.strategy)"
            )


def _read(path: Path) -> str:
    try:
        return foreign.text(path, MOST)
    except OSError as e:
        raise ManifestError(f"expected a JSON Schema (event.schema), got {path}: {e.strerror}") from e
    except UnicodeDecodeError as e:
        raise ManifestError(f"expected a JSON Schema (event.schema), got {path}: it is no UTF-8") from e


def _parsed(path: Path, text: str, number: type[float] | type[Decimal]) -> dict[str, Any]:
    try:
        found = json.loads(text, parse_float=number)
    except (ValueError, RecursionError) as e:
        raise ManifestError(f"schema {path}: {e}: write JSON") from e
    if not isinstance(found, dict):
        raise ManifestError(f"schema {path}: expected a JSON object, got a {type(found).__name__}")
    return found


def _validator(path: Path, schema: dict[str, Any]) -> Validator:
    from jsonschema import exceptions, validators

    kind = validators.validator_for(schema, default=validators.validator_for({"$schema": LATEST}))
    try:
        kind.check_schema(schema)
    except exceptions.SchemaError as e:
        where = "/".join(map(str, e.absolute_path))
        raise ManifestError(f"schema {path}: {e.message[:160]} (at /{where}): expected a JSON Schema") from e
    return kind(schema)


#: The version of a schema that names none.
LATEST = "https://json-schema.org/draft/2020-12/schema"


def _satisfied(validator: Validator, body: Any) -> bool:
    try:
        return validator.is_valid(body)
    except (ArithmeticError, RecursionError):  # multipleOf of a number with very many digits
        return False


def _formats_of(fits: Callable[[str, object], bool]) -> FormatChecker:
    from jsonschema import FormatChecker, exceptions

    class Asked(FormatChecker):
        def check(self, instance: object, format: str) -> None:  # noqa: A002  # the name in the base class
            if isinstance(instance, str) and not fits(format, instance):
                raise exceptions.FormatError(f"not known to be a {format}")

    return Asked()


def _add_to(known: set[tuple[str, object]]) -> Callable[[str, object], bool]:
    def add(name: str, text: object) -> bool:
        known.add((name, text))
        return True

    return add


def _named_formats(schema: Any) -> Iterator[str]:
    if isinstance(schema, list):
        for each in schema:
            yield from _named_formats(each)
    elif isinstance(schema, dict):
        if isinstance(schema.get("format"), str) and schema.get("type", "string") == "string":
            yield schema["format"]
        for name, inner in schema.items():
            if name in TABLES and isinstance(inner, dict):
                yield from _named_formats(list(inner.values()))
            elif name not in DATA:
                yield from _named_formats(inner)


def _formats(day: date) -> dict[str, SearchStrategy[str]]:
    """Formats that hypothesis-jsonschema does not draw, or with values that no service has to accept (year 1)."""
    from hypothesis import strategies as st

    from shaketable.load.mix import hostile

    days = st.dates(date(2000, 1, 1), day).map(str)
    return {"uuid": st.uuids(version=4).map(str), "date-time": hostile.timestamps(day), "date": days}
