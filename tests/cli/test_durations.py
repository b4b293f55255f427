"""Durations as a user types them."""

from __future__ import annotations

import pytest

from shaketable.cli.durations import seconds
from shaketable.errors import InputError


@pytest.mark.parametrize(("text", "found"), [("90", 90), ("90s", 90), ("1.5m", 90), ("2 h", 7200)])
def test_duration_is_read(text: str, found: float) -> None:
    assert seconds(text) == found


@pytest.mark.parametrize("text", ["", "0", "-5s", "5 minutes", "m", "1m30s"])
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="90s, 10m or 1h"):
        seconds(text)
