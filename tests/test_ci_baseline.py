"""The templates for CI fetch a baseline, and only one that does not exist yet counts as missing."""

from __future__ import annotations

import os
import subprocess
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from shaketable.files.folders import own

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
    return "\n".join(job()["script"])


def job() -> dict[str, Any]:
    found = yaml.safe_load((ROOT / "docs/ci/shaketable.gitlab-ci.yml").read_text(encoding="utf-8"))
    return dict(found["shaketable"])


def action(name: str = "Fetch the baseline") -> str:
    (found,) = [step["run"] for step in steps() if step.get("name") == name]
    return str(found)


def steps() -> list[dict[str, Any]]:
    return list(yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["runs"]["steps"])


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


def test_action_takes_no_run_of_a_pull_request_for_the_baseline(tmp_path: Path) -> None:
    """The branch of a fork's pull request may be called main; `gh run list` without an event lists its run, too."""
    gh = """case "$1 $2" in
        "run list") [[ "$*" == *"--event push"* ]] && echo 7 || echo 666 ;;
        "run download") echo "downloaded $3" ;;
        *) echo false ;;
    esac"""
    assert ran(tmp_path, action(), gh=gh).stdout == "downloaded 7\n"
    (upload,) = [step for step in steps() if "baseline" in step.get("with", {}).get("name", "")]
    assert upload["if"] == "github.event_name == 'push'"


def test_action_installs_below_a_folder_with_a_space(tmp_path: Path) -> None:
    folder = tmp_path / "my runner"
    folder.mkdir()
    make = """mkdir -p "$3/bin"
        for each in python shaketable; do
            printf '#!/bin/bash\necho "$1 $2"\n' > "$3/bin/$each"
            chmod +x "$3/bin/$each"
        done"""
    found = ran(folder, action("Install"), python3=make)
    assert (found.returncode, found.stdout.splitlines()) == (0, ["-m pip", "-m pip", "doctor "]), found.stderr


def test_gitlab_gives_its_token_to_no_other_host(tmp_path: Path) -> None:
    heard = dict[str, str]()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard[self.headers["Host"].partition(":")[0]] = str(self.headers)
            at_home = self.headers["Host"].startswith("127.")
            self.send_response(302 if at_home else 200)
            self.send_header("Location", f"http://localhost:{server.server_port}/storage")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        script = f"export CI_API_V4_URL={url} BASELINE_TOKEN=geheim no_proxy='*'\n{gitlab()}"
        found = ran(tmp_path, script, shaketable="exit 0")
        server.shutdown()
    assert found.returncode == 0, found.stderr
    assert "geheim" in heard["127.0.0.1"]
    assert "geheim" not in heard["localhost"]


def test_gitlab_makes_its_own_folders_safe_for_the_cache_and_no_others(tmp_path: Path) -> None:
    theirs, builds = tmp_path / "theirs", tmp_path / "theirs" / "builds"
    project = builds / "group" / "project"
    (project / ".cache" / "shaketable").mkdir(parents=True)
    for each in (theirs, builds, project.parent, project, project / ".cache", project / ".cache" / "shaketable"):
        each.chmod(0o777)
    (script,) = [each for each in job()["before_script"] if "chmod" in each]
    ran(project, f"export CI_PROJECT_DIR={project} CI_BUILDS_DIR={builds}\n{script}")
    assert theirs.stat().st_mode & 0o777 == 0o777
    theirs.chmod(0o755)
    assert own(project / ".cache" / "shaketable", 0o700).is_dir()
