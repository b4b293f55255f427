"""The cases of a matrix: a few are run for each change, all of them every night."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest


def cases(all_cases: Sequence[Any], each_change: Sequence[Any]) -> list[Any]:
    """The cases for `parametrize`; those that are not for each change are marked nightly.

    Raises AssertionError where `each_change` has one that is no case: no test may be left out by a slip.
    """
    assert set(each_change) <= set(all_cases), set(each_change) - set(all_cases)
    return [case if case in each_change else nightly(case) for case in all_cases]


def nightly(case: Any) -> Any:
    """One case that is run every night."""
    values = case if isinstance(case, tuple) else (case,)
    return pytest.param(*values, marks=pytest.mark.nightly)
