"""The templates for CI fetch a baseline, and only one that does not exist yet counts as missing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]


def ran(folder: Path, script: str, **programs: str) -> subprocess.CompletedProcess[str]:
    """Run a script of a template as its CI system does, with programs replaced by scripts."""
    for name, text in programs.items():
        path = folder / ("bin" if name != "shaketable" else ".shaketable/bin") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/bash\n{text}\n")
        path.chmod(0o755)
    names = "CI_API_V4_URL CI_PROJECT_ID CI_DEFAULT_BRANCH CI_JOB_NAME SELECT TARGET BRANCH NAME GITHUB_WORKFLOW"
    env = dict.fromkeys((*names.split(), "GITHUB_REPOSITORY", "BASELINE_TOKEN"), "x")
    env |= {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "RUNNER_TEMP": str(folder)}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=30)


def gitlab() -> str:
    found = yaml.safe_load((ROOT / "docs/ci/shaketable.gitlab-ci.yml").read_text(encoding="utf-8"))
    return "\n".join(found["shaketable"]["script"])


def action() -> str:
    steps = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["runs"]["steps"]
    (found,) = [step["run"] for step in steps if step.get("name") == "Fetch the baseline"]
    return str(found)


@pytest.mark.parametrize(
    ("status", "run", "diff", "code"),
    [
        (200, 0, 0, 0),
        (200, 0, 1, 1),
        (200, 2, 1, 2),  # a failed run is compared, too, and its own code stays
        (404, 0, 1, 0),  # no baseline yet
        (404, 1, 0, 1),
        (403, 0, 0, 255),
        (500, 0, 0, 255),
    ],
)
def test_gitlab_compares_each_run_unless_there_is_no_baseline(
    tmp_path: Path, status: int, run: int, diff: int, code: int
) -> None:
    shaketable = f'echo "$1"; mkdir -p runs; touch runs/results.json; [ "$1" = run ] && exit {run}; exit {diff}'
    found = ran(tmp_path, gitlab(), curl=f"touch fetched.json; echo -n {status}", shaketable=shaketable)
    assert found.returncode == code
    assert ("diff" in found.stdout.split()) == (status == 200)


@pytest.mark.parametrize(
    ("run", "artifacts", "code", "told"),
    [
        ("echo 7", "echo false", 0, "downloaded"),
        ("echo 7", "echo true", 0, "::warning"),
        ("echo 7", "true", 0, "::notice"),
        ("true", "exit 1", 0, "::notice"),  # no run yet
        ("exit 1", "echo false", 1, ""),  # 403
        ("echo 7", "exit 1", 1, ""),
    ],
)
def test_action_fails_if_the_baseline_cannot_be_fetched(
    tmp_path: Path, run: str, artifacts: str, code: int, told: str
) -> None:
    gh = f'case "$1 $2" in "run list") {run} ;; "run download") echo downloaded ;; *) {artifacts} ;; esac'
    found = ran(tmp_path, action(), gh=gh)
    assert (found.returncode, found.stdout.partition(" ")[0].strip()) == (code, told)
