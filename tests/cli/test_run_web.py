"""`python -m shaketable run --web`: a real run, followed on its page from the first phase to the report."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest


@pytest.mark.slow
@pytest.mark.nightly
def test_run_is_followed_to_its_verdict_and_the_command_ends_when_nobody_looks(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "shaketable", "run", "calm", "--web", "--runs", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        try:
            assert run.stdout
            url = run.stdout.readline().removeprefix("live page: ").strip()
            phases: set[str] = set()
            deadline = time.monotonic() + 300
            while not (state := httpx.get(f"{url}state", trust_env=False).json())["over"]:
                phases.add((state["status"] or {}).get("phase", ""))
                assert time.monotonic() < deadline
                time.sleep(0.5)
            page = httpx.get(f"{url}report/0", trust_env=False)
            said = run.stdout.read()
            code = run.wait(60)
        finally:
            run.kill()
    (ended,) = state["ended"]
    assert ended["verdict"] == {0: "passed", 1: "failed", 2: "unknown"}[code], said
    assert {"baseline", "shake", "recover", "drain"} <= phases
    assert page.content == next(tmp_path.glob("*-calm-*/report.html")).read_bytes()
