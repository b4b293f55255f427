"""A shake that a test asks for is played by a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from shaketable.results import shake as shaken


@pytest.mark.slow
def test_files_of_a_team_are_not_mistaken_for_modules(tmp_path: Path) -> None:
    for name in ("queue", "locust", "typer"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong one')")
    code, said = shaken.command(["list"], tmp_path)
    assert (code, said) == (0, "")
