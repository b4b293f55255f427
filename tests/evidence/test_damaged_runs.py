"""A run directory may be a stranger's: every command ends soon, in a sentence, and writes nothing outside."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shaketable import rundir
from shaketable.cli.check import check_run as check
from shaketable.cli.report import report
from shaketable.errors import RunDirError
from shaketable.files import atomic, foreign
from shaketable.rundir import RunDir
from tests.cli.test_cli import ROOT
from tests.support.cases import nightly
from tests.support.histories import asks, run_of, sent, stored


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    (tmp_path / "run").mkdir()
    return run_of([sent("a", at=1).acknowledged(2), stored("a"), asks()], tmp_path / "run")


@pytest.mark.parametrize(
    "name", [nightly("report.html"), "report.html.part", "verdict.json", nightly("verdict.json.part")]
)
def test_links_to_files_of_the_reader_are_not_written_through(name: str, run: RunDir, tmp_path: Path) -> None:
    mine = tmp_path / "bashrc"
    mine.write_text("mine")
    (run / name).symlink_to(mine)
    check(run.path)
    report(run.path)
    assert mine.read_text() == "mine"
    assert (run / "report.html").is_file()


def test_a_file_that_is_written_anew_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    with atomic.whole(tmp_path / "some") as out:
        out.write(b"x")
    assert (tmp_path / "some").stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [tmp_path / "some"]


def test_a_file_that_could_not_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), atomic.whole(tmp_path / "some"):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_files_that_hold_events_are_their_owners_alone(tmp_path: Path) -> None:
    made = rundir.create(tmp_path, "calm", "reference")
    rundir.write_lines(made / rundir.CORPUS, [{}])
    assert [path.stat().st_mode & 0o777 for path in (made.path, made.logs)] == [0o700, 0o700]
    assert (made / rundir.CORPUS).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", ["pipe", "zero", "link", "folder", "sparse", "socket"])
def test_only_a_regular_file_of_some_size_is_read_and_nothing_waits(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "some"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "sparse":
        with path.open("wb") as out:
            out.truncate(10 << 30)
    elif kind == "socket":
        os.mknod(path, 0o140600)
    else:
        (tmp_path / "real").write_bytes(b"x")
        path.symlink_to("/dev/zero" if kind == "zero" else "real")
    with pytest.raises(foreign.Refused, match="expected"):
        foreign.read(path)


def test_the_end_of_a_log_is_read_however_long_it_is(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as out:
        out.truncate(10 << 30)
        out.seek(0, os.SEEK_END)
        out.write(b"\nlast\n")
    assert foreign.tail(log, 1) == ["last"]


def test_a_line_without_an_end_is_refused(run: RunDir) -> None:
    (run / rundir.FAULTS).write_bytes(b"[" * (foreign.LINE + 1))
    with pytest.raises(RunDirError, match=r"faults\.jsonl"):
        check(run.path)


@pytest.mark.slow
@pytest.mark.parametrize("count", [8, nightly(40)])
def test_drawn_damage_ends_in_a_verdict_or_a_sentence(count: int) -> None:
    command = [sys.executable, "-m", "tests.fuzz_runs", "--count", f"{count}", "--seed", "7"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-5_000:] + done.stderr[-2_000:]
