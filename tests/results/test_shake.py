"""A shake that a test asks for is played by a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from shaketable.results import exploration
from shaketable.results import shake as shaken


@pytest.mark.slow
def test_files_of_a_team_are_not_mistaken_for_modules(tmp_path: Path) -> None:
    for name in ("queue", "locust", "typer"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong one')")
    code, said = shaken.command(["list"], tmp_path)
    assert (code, said) == (0, "")


HOSTILE = "state OPEN\n::stop-commands::x\x1b[2J"


def test_text_of_a_target_is_one_harmless_line_in_the_output_of_pytest() -> None:
    found = shaken.CheckResult("failed", HOSTILE, required=True)
    result = shaken.ShakeResult("calm", "failed", {"no_loss": found}, Path("runs/x"), (HOSTILE,))
    explored = exploration.ExploreResult("failed", (HOSTILE,))
    for told, lines in ((str(result), 4), (str(explored), 2)):
        assert len(told.splitlines()) == lines
        assert "::" not in told
        assert "\x1b" not in told
