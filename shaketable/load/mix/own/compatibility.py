"""Make hypothesis-jsonschema 0.23.1 work with Hypothesis 6.170 and newer, whose loop over elements has changed.

And make it faster: it builds the strategy of every member anew for every event, which takes half the time of drawing.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from hypothesis.internal.conjecture import utils
from hypothesis.strategies import SearchStrategy
from hypothesis_jsonschema import _from_schema
from hypothesis_jsonschema._encode import encode_canonical_json

#: The function that builds the strategy of a schema, and, as events are drawn, those of its members.
_BUILD = "__from_schema"
_built_anew = vars(_from_schema)[_BUILD]


class Many(utils.many):
    """Hypothesis's loop, with the method `more` that it had before: whether to draw another element."""

    _loop: Iterator[None] | None = None

    def more(self) -> bool:
        if self._loop is None:
            self.__enter__()
            self._loop = iter(self)
        for _ in self._loop:
            return True
        self.__exit__(None)
        return False


def install() -> None:
    """Give hypothesis-jsonschema the old loop, if Hypothesis has none, and a memory of the strategies it has built."""
    if not hasattr(utils.many, "more"):
        vars(_from_schema)["cu"] = SimpleNamespace(many=Many)  # it uses nothing else of that module
    vars(_from_schema)[_BUILD] = _Memory()


class _Memory:
    """Builds the strategy of each schema once. The values that are drawn stay the same ones."""

    def __init__(self) -> None:
        self._built: dict[Any, tuple[SearchStrategy[Any], Any]] = {}

    def __call__(self, schema: Any, *, alphabet: Any, custom_formats: Any) -> SearchStrategy[Any]:
        key = encode_canonical_json(schema), alphabet, id(custom_formats)
        if key not in self._built:
            built = _built_anew(schema, alphabet=alphabet, custom_formats=custom_formats)
            self._built[key] = built, custom_formats  # whose id must not become another's
        return self._built[key][0]
