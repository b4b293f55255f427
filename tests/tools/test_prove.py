"""The proof of the checks: what it says of nothing."""

from __future__ import annotations

import json
from pathlib import Path

from tools.prove import main


def test_nothing_that_was_run_proves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "not" / "there"
    assert main(["--bugs", "--clean", "0", "--out", str(out)]) == 2
    assert json.loads((out / "prove.json").read_text())["bugs"] == []
