"""Bad input: one sentence with the value and the remedy, the right exit code, nothing left behind."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from platformdirs import user_cache_path

from shaketable.stack import ports, supervisor
from tests.conftest import Typed

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "reference_impl" / "target.toml"

NIGHTLY = [pytest.mark.slow, pytest.mark.nightly]

SCENARIO = """
from shaketable.checks import NoLoss
from shaketable.faults import Down
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario
from shaketable.faults.timeline import At

SCENARIO = Scenario(
    story="A short one.", load=Load(rate=20, baseline_s=0.5, shake_s=2, recover_s=0.5),
    timeline=(At(0.5, 1, Down("postgres")),), checks=(NoLoss(),), settings={"lease_s": 1},
)
"""


def shaketable(*arguments: str | Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "shaketable.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **(env or {})},
        cwd=ROOT,
    )


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """The one line on stderr."""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("shaketable: ")
    return lines[0]


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "short.py"
    path.write_text(SCENARIO)
    return path


@pytest.fixture(autouse=True)
def _nothing_left_behind(tmp_path: Path) -> Iterator[None]:
    yield
    folder = Path(tempfile.gettempdir())
    for run in (tmp_path / "runs").glob("2*"):
        run_id = run.name.split("-")[1]
        assert not list(folder.glob(f"shaketable-stack-{run_id}-*"))
        assert not (supervisor.journals() / f"{run_id}.jsonl").exists()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("rate=20", "rate=-20", "-20"),
        ("shake_s=2", "shake_s=-2", "-2"),
        ("At(0.5, 1,", "At(0.5, 7,", "ends at 7 s, after the shake, which ends at 2 s"),
        ("At(0.5, 1,", "At(2, 1,", "at 2 s and until 1 s"),
        ('story="A short one."', 'story=""', "needs a story"),
        ("SCENARIO = Scenario(", "raise RuntimeError('oh')\nSCENARIO = Scenario(", "raised RuntimeError: oh"),
        ("SCENARIO = ", "OTHER = ", "to hold `SCENARIO = Scenario"),
        ("from shaketable.faults import Down", "from shaketable.faults import Gone", "ImportError"),
        ('Down("postgres")', 'Down("postgres", process="nobody")', "nobody"),
        ('settings={"lease_s": 1}', 'counts={"nobody": 2}', "nobody"),
    ],
)
def test_scenario_that_cannot_be_played_is_one_sentence(
    scenario: Path, tmp_path: Path, old: str, new: str, told: str, typed: Typed
) -> None:
    assert old in SCENARIO
    scenario.write_text(SCENARIO.replace(old, new))
    done = typed("run", scenario, "--runs", tmp_path / "runs")
    assert told in sentence(done)
    assert done.returncode == 254


def test_unknown_scenario_names_the_list(typed: Typed) -> None:
    done = typed("run", "no_such")
    assert "no_such" in sentence(done)
    assert "shaketable list" in sentence(done)
    assert done.returncode == 254


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('name = "reference"', 'name = "reference"\nspeed = 3', "speed"),
        pytest.param(
            '"-m", "reference_impl", "work"',
            '"-c", "raise SystemExit(7)"',
            "died at start with exit code 7",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            '"-m", "reference_impl", "migrate"',
            '"-c", "raise SystemExit(7)"',
            "setup ended with exit code 7",
            marks=NIGHTLY,
        ),
        pytest.param(
            '["{python}", "-m", "reference_impl", "work"]',
            '["no-such-program"]',
            "no-such-program",
            marks=NIGHTLY,
        ),
        pytest.param(
            '"-m", "reference_impl", "work"]\ncount = 2\nhealth = "/health"\nready_s = 20',
            '"-c", "import time; time.sleep(60)"]\ncount = 2\nhealth = "/health"\nready_s = 0.5',
            "not ready within 0.5 s",
            marks=NIGHTLY,
        ),
        pytest.param("from audit_log\n", "from no_such_table\n", "no_such_table", marks=NIGHTLY),
    ],
)
def test_target_that_cannot_be_tested_is_one_sentence(
    scenario: Path, tmp_path: Path, old: str, new: str, told: str
) -> None:
    text = REFERENCE.read_text()
    assert old in text
    path = tmp_path / "target.toml"
    path.write_text(text.replace(old, new).replace('cwd = ".."', f'cwd = "{ROOT}"'))
    done = shaketable("run", scenario, "--target", path, "--runs", tmp_path / "runs")
    assert told in sentence(done)
    assert done.returncode in (254, 255)


def test_port_in_use_is_named(scenario: Path, tmp_path: Path, typed: Typed) -> None:
    with ports.reserve() as block:
        base = block.base
    with socket.create_server(("127.0.0.1", base + 3)):
        done = typed("run", scenario, "--port-base", str(base), "--runs", tmp_path / "runs")
    assert f"{base + 3} is in use" in sentence(done)
    assert done.returncode == 254


@pytest.mark.parametrize("command", ["check", "report"])
def test_folder_that_is_no_run_directory_is_named(command: str, tmp_path: Path, typed: Typed) -> None:
    done = typed(command, tmp_path)
    assert str(tmp_path) in sentence(done)
    assert done.returncode == 254


@pytest.mark.parametrize("arguments", [["--no-such"], ["run"], ["no-such-command"], ["run", "calm", "--seed", "x"]])
def test_usage_error_is_no_verdict(arguments: list[str], typed: Typed) -> None:
    done = typed(*arguments)
    assert done.returncode == 254
    assert done.stderr


@pytest.mark.slow
@pytest.mark.nightly
def test_surroundings_of_the_shell_have_no_effect(scenario: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".locust.conf").write_text("host = http://127.0.0.1:9\nusers = 1\nmaster = true\n")
    hostile = {
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
        "ALL_PROXY": "http://127.0.0.1:9",
        "PGHOST": "127.0.0.9",
        "PGPORT": "9",
        "PGUSER": "nobody",
        "LOCUST_HOST": "http://127.0.0.1:9",
        "LOCUST_USERS": "1",
        "HOME": str(home),
        "XDG_CACHE_HOME": str(user_cache_path()),
    }
    done = shaketable("run", scenario, "--runs", tmp_path / "runs", env=hostile)
    assert done.returncode == 0, done.stdout + done.stderr
