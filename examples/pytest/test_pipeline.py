"""A team's own suite, gated on a scenario: `pytest examples/pytest`."""

import pytest


@pytest.mark.shake("brief_outage.py")
def test_an_outage_of_the_store_loses_nothing():
    """The mark is the gate: the test fails unless every required check of the scenario passed."""


@pytest.mark.shake("brief_outage.py")  # an equal mark shares the run
def test_the_backlog_of_an_outage_is_gone_within_ten_seconds(shake):
    """The fixture holds the verdict, the counts and the figures."""
    assert shake.figures["heal_to_empty_backlog_s"] < 10
    assert shake.checks["no_loss"].counts["acknowledged"] > 300
