"""A team's own suite, gated on a shake of its processor: `pytest examples/pytest`."""

import pytest


@pytest.mark.shake("brief_outage.py")
def test_an_outage_of_the_store_loses_nothing():
    """The mark is the gate: this fails unless every check that the scenario names passed."""


@pytest.mark.shake("brief_outage.py")  # marked alike: the same run
def test_the_backlog_of_an_outage_is_gone_within_ten_seconds(shake):
    """The fixture is the verdict, with what was counted and measured."""
    assert shake.figures["heal_to_empty_backlog_s"] < 10
    assert shake.checks["no_loss"].counts["acknowledged"] > 300
