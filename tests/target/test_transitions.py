"""Breaker transitions are the target's own files: none hangs the harness, and what is not read is missing evidence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shaketable import rundir
from shaketable.evidence.history import observations
from shaketable.rundir import RunDir
from shaketable.target import transitions

LINE = b'{"process":"worker-1","incarnation":"1","seq":0,"from":null,"to":"CLOSED","monotonic_ns":5}\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "state" / "worker-1").mkdir(parents=True)
    return tmp_path / "state" / "worker-1" / transitions.FILE


def collected(file: Path) -> list[int]:
    run = RunDir(file.parents[2])
    transitions.collect(run, file.parents[1])
    found = observations.transitions(run)
    assert found is not None
    return found.seq.tolist()


def test_whole_lines_are_read_and_a_torn_one_is_none(file: Path) -> None:
    file.write_bytes(LINE + b"no JSON\n" + b"[" * 50_000 + b"\n" + LINE[:-5])
    assert collected(file) == [0]
    assert transitions.last_state(file) == "CLOSED"


@pytest.mark.parametrize("kind", ["pipe", "zero", "large", "long line"])
def test_what_is_not_read_is_known_to_be_missing(kind: str, file: Path) -> None:
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "zero":
        file.symlink_to("/dev/zero")
    else:
        file.write_bytes(LINE)
        with file.open("ab") as out:
            out.truncate(1 << 30) if kind == "large" else out.write(b"x" * (transitions.LONGEST_LINE + 1))
    assert -1 in collected(file)
    transitions.last_state(file)


def test_numbers_beyond_every_clock_are_none(file: Path) -> None:
    file.write_bytes(LINE.replace(b":5}", b":1" + b"0" * 40 + b"}") + LINE)
    assert collected(file) == [0, 0]
    assert rundir.TRANSITIONS in {path.name for path in file.parents[2].iterdir()}
