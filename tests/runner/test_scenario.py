"""A scenario by its name: found, and at another rate."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from shaketable.errors import ScenarioError
from shaketable.runner import scenario
from shaketable.target import settings
from shaketable.target.manifest import Timing


def test_a_rate_behind_the_name_is_all_that_differs_and_the_story_says_so() -> None:
    plain, slow = scenario.load("postgres_outage"), scenario.load("postgres_outage@7.5")
    assert (slow.name, slow.load.rate) == ("postgres_outage@7.5", 7.5)
    assert slow.story == f"{plain.story} (Here: 7.5 events a second.)"
    assert dataclasses.replace(slow, name=plain.name, load=plain.load, story=plain.story) == plain


@pytest.mark.parametrize("name", ["calm@0", "calm@-3", "calm@nan", "calm@inf"])
def test_a_rate_that_is_none_is_told(name: str) -> None:
    with pytest.raises(ScenarioError, match="above 0 events a second, got"):
        scenario.load(name)


@pytest.mark.parametrize("name", ["calm@fast", "@12", "calm@12@"])
def test_what_is_no_name_is_told_whole(name: str) -> None:
    with pytest.raises(ScenarioError, match="no scenario is called"):
        scenario.load(name)


def test_a_file_with_an_at_in_its_name_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine@home.py").write_text("from shaketable.runner import scenario\nSCENARIO = scenario.load('calm')")
    assert scenario.load("mine@home.py").name == "calm"
    assert scenario.load("mine@home.py@30").load.rate == 30


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lease_s", "3s"),
        ("lease_s", -4),
        ("health_grace_s", "nan"),
        ("breaker_recovery_s", "soon"),
        ("breaker_failure_threshold", 2.5),
        ("breaker_failure_threshold", 0),
    ],
)
def test_setting_that_is_no_bound_is_refused_by_its_name(name: str, value: float | str) -> None:
    with pytest.raises(ScenarioError, match=f"{name}.*, got"):
        dataclasses.replace(scenario.load("calm"), settings={name: value})


def test_settings_of_other_names_may_be_any_text() -> None:
    made = dataclasses.replace(scenario.load("calm"), settings={"lease_s": "3", "retry_base_s": "3s", "mode": "fast"})
    assert made.settings["retry_base_s"] == "3s"


def test_setting_that_is_no_number_is_no_bound_that_a_target_exceeds() -> None:
    assert settings.longer_s({"lease_s": "3s", "health_grace_s": "1", "retry_base_s": "x"}, Timing()) == {
        "health_grace_s": Timing().health_grace_s - 1
    }
