"""Make hypothesis-jsonschema 0.23.1 work with Hypothesis 6.170 and newer, whose loop over elements has changed."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

from hypothesis.internal.conjecture import utils


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
    """Give hypothesis-jsonschema the old loop, if Hypothesis has none."""
    from hypothesis_jsonschema import _from_schema

    if not hasattr(utils.many, "more"):
        vars(_from_schema)["cu"] = SimpleNamespace(many=Many)  # it uses nothing else of that module
