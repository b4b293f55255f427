"""A correct processor that differs from the reference is never failed, in no scenario of the profile `quick`."""

from __future__ import annotations

from pathlib import Path

import pytest

from shaketable import run
from shaketable.runner.profile import find
from shaketable.target import manifest as manifests
from tests.correct_variants.variant import VARIANTS, target


@pytest.mark.parametrize("name", VARIANTS)
def test_variant_says_which_settings_do_not_reach_it(name: str, tmp_path: Path) -> None:
    taken = manifests.load(target(name, tmp_path)).settings
    assert not taken.keys() & set(VARIANTS[name].ignores)
    assert "lease_s" in taken


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.parametrize("scenario", find("quick").trials)
@pytest.mark.parametrize("name", VARIANTS)
def test_correct_variant_is_never_failed(name: str, scenario: str, tmp_path: Path) -> None:
    found = run(scenario, target=target(name, tmp_path), runs=tmp_path / "runs")
    judged = {check: each.why for check, each in found.checks.items() if each.required and each.verdict == "failed"}
    assert not judged, "a false alarm"
