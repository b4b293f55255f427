"""Headers take secrets from the environment, and only the load's own environment holds them."""

from __future__ import annotations

import pytest

from shaketable.errors import InputError
from shaketable.load import headers


def test_places_are_filled_from_the_environment_and_reach_the_load_by_its_own() -> None:
    told = headers.encoded({"Authorization": "Bearer {env:TOKEN}", "X-A": "b"}, {"TOKEN": "s3cret"})
    assert headers.given(told) == {"Authorization": "Bearer s3cret", "X-A": "b"}
    assert headers.given({}) == {}
    assert headers.encoded({}, {}) == {}


@pytest.mark.parametrize(
    ("env", "told"),
    [({}, "environment variable TOKEN for ingest.headers.A, got none"), ({"TOKEN": "a\r\nB: c"}, "one line of ASCII")],
)
def test_missing_and_broken_secrets_are_named_without_their_value(env: dict[str, str], told: str) -> None:
    with pytest.raises(InputError, match=told) as raised:
        headers.encoded({"A": "{env:TOKEN}"}, env)
    assert "B: c" not in str(raised.value)
