"""Whatever the shell, the locale or the terminal is: a verdict's exit code is its own."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Typed
from tests.support.cases import nightly
from tests.support.histories import run_of
from tests.support.shown import whole, wrong

#: None is a variable that is not set.
SURROUNDINGS: dict[str, dict[str, str | None]] = {
    "an ASCII terminal of no columns": {
        "PYTHONIOENCODING": "ascii",
        "PYTHONUTF8": "0",
        "COLUMNS": "0",
        "LINES": "0",
    },
    "the C locale, and neither UTF-8 mode nor coercion": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "nothing": {"HOME": None, "TZ": None, "LANG": None, "LC_ALL": None, "TERM": None, "USER": None, "COLUMNS": "1"},
    "a Latin-1 terminal of no known kind, in an odd zone and no locale": {
        "PYTHONIOENCODING": "latin-1",
        "TZ": "No/Where",
        "LANG": "xx_YY.nonsense",
        "TERM": "no-such",
    },
}


def shaketable(*words: str | Path, env: dict[str, str | None] | None = None) -> subprocess.CompletedProcess[bytes]:
    around = {name: value for name, value in {**os.environ, **(env or {})}.items() if value is not None}
    return subprocess.run([sys.executable, "-m", "shaketable.cli", *map(str, words)], capture_output=True, env=around)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_of(whole(), tmp_path_factory.mktemp("run")).path


#: The others are slow: each is a process that loads the whole command line.
QUICK = ["the C locale, and neither UTF-8 mode nor coercion"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in SURROUNDINGS]
)
def test_passed_run_ends_with_0(name: str, run: Path) -> None:
    done = shaketable("check", run, env=SURROUNDINGS[name])
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"PASSED" in done.stdout


#: Python buffers output to files and pipes, and writes it when it ends; with this variable, or a terminal, it does not.
BUFFERING = [{}, {"PYTHONUNBUFFERED": "1"}]


def surroundings(more: dict[str, str]) -> dict[str, str]:
    """This process's environment with these variables, and without others that set how Python buffers."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"} | more


@pytest.mark.slow
@pytest.mark.parametrize("buffering", BUFFERING, ids=["buffered", "unbuffered"])
def test_disk_that_is_full_under_the_output_is_no_fault_of_the_run(run: Path, buffering: dict[str, str]) -> None:
    command = [sys.executable, "-m", "shaketable.cli", "check", str(run)]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, env=surroundings(buffering))
    assert done.returncode == 255
    assert b"No space left" in done.stderr
    assert b"no run writes" not in done.stderr


CLOSED = """
import os, sys
from shaketable.cli.guard import guarded
from shaketable.runner.progress import PlainReporter

def command():
    with PlainReporter() as show, open(sys.argv[1], "w", encoding="utf-8"):
        show.print("a line")
        os.write(1, b"a child's word")

sys.exit(guarded(command))
"""


@pytest.mark.parametrize("closed", [nightly("0<&- >&-"), nightly(">&- 2>&-"), "0<&- >&- 2>&-"])
def test_what_is_said_to_a_closed_stream_goes_nowhere(closed: str, tmp_path: Path) -> None:
    command = f'exec "$0" -c "$1" "$2" {closed}'
    done = subprocess.run(["sh", "-c", command, sys.executable, CLOSED, str(tmp_path / "file")], capture_output=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "file").read_bytes() == b""


@pytest.mark.slow
def test_explain_has_its_laws_without_docstrings() -> None:
    done = shaketable("explain", "no_loss", env={"PYTHONOPTIMIZE": "2"})
    assert done.returncode == 0
    assert done.stdout == shaketable("explain", "no_loss").stdout
    assert len(done.stdout.splitlines()) > 5


@pytest.mark.slow
def test_text_files_are_utf_8_in_every_locale(tmp_path: Path) -> None:
    manifest = tmp_path / "target.toml"
    manifest.write_text("# Größe – 中文\ncontract = 77\n", encoding="utf-8")
    done = shaketable(
        "run",
        "calm",
        "--target",
        manifest,
        "--runs",
        tmp_path,
        env={
            "LC_ALL": "C",
            "PYTHONUTF8": "0",
            "PYTHONCOERCECLOCALE": "0",
        },
    )
    assert done.returncode == 254
    assert b"codec" not in done.stderr


HUNG_UP = """
import sys, time
from pathlib import Path
from shaketable.cli.guard import guarded

def command():
    try:
        print("ready", flush=True)
        time.sleep(60)
    finally:
        print("the table", flush=True)
        Path(sys.argv[1]).write_text("results")

sys.exit(guarded(command))
"""


def test_hangup_is_an_interruption_whose_results_are_written(tmp_path: Path) -> None:
    terminal, its = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", HUNG_UP, tmp_path / "out"], stdin=its, stdout=its, stderr=its
    ) as child:
        os.close(its)
        said = b""
        while not said.endswith(b"\n"):
            said += os.read(terminal, 100)
        os.close(terminal)  # whatever is written to it from now on fails
        child.send_signal(signal.SIGHUP)
        assert child.wait(30) == 255
    assert (tmp_path / "out").read_text(encoding="utf-8") == "results"


def test_hangup_is_ignored_under_nohup(tmp_path: Path) -> None:
    script = HUNG_UP.replace("time.sleep(60)", "__import__('os').kill(__import__('os').getpid(), 1)")
    done = subprocess.run(["nohup", sys.executable, "-c", script, tmp_path / "out"], capture_output=True, timeout=60)
    assert done.returncode == 0


def test_version_is_told(typed: Typed) -> None:
    done = typed("--version")
    assert (done.returncode, done.stdout.split()[0]) == (0, "shaketable")


def test_event_of_a_run_that_stands_behind_it(tmp_path: Path, typed: Typed) -> None:
    found = run_of(wrong("lost-one"), tmp_path / "run")
    told = typed("explain", "--event", "lost-one", found.path)
    assert told.returncode == 0
    assert told.stdout == typed("explain", "--event", "lost-one", "--run", found.path).stdout
    assert "meant for" in told.stdout


def test_diff_names_where_runs_are(tmp_path: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")  # the clone's own runs/ would be named
    run_of(whole(), tmp_path / "runs" / "20270101T000000Z-aaaa-x-y")
    assert f"name {tmp_path / 'runs'}" in typed("diff", tmp_path, tmp_path).stderr
    (tmp_path / "none").mkdir()
    assert "shaketable run calm --runs" in typed("diff", tmp_path / "none", tmp_path).stderr


@pytest.mark.slow
@pytest.mark.parametrize("buffering", BUFFERING, ids=["buffered", "unbuffered"])
@pytest.mark.parametrize(
    "ends", ["print('the table', flush=True)", "raise RuntimeError", "raise HarnessError('no way through')"]
)
def test_exit_code_is_no_verdict_when_the_terminal_is_gone_before_the_signal(
    ends: str, buffering: dict[str, str]
) -> None:
    terminal, its = pty.openpty()
    code = f"""
import sys
from shaketable.cli.guard import guarded
from shaketable.errors import HarnessError

def command():
    print("ready", flush=True)
    sys.stdin.read()
    {ends}

sys.exit(guarded(command))
"""
    command, env = [sys.executable, "-c", code], surroundings(buffering)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=its, stderr=its, env=env) as child:
        os.close(its)
        said = b""
        while not said.endswith(b"\n"):
            said += os.read(terminal, 100)
        os.close(terminal)
        assert child.stdin
        child.stdin.close()
        assert child.wait(30) == 255
