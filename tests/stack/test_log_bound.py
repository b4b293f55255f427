"""A log without bound is cut, says so, and holds up nobody who writes it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shaketable.errors import UnexpectedFailure
from shaketable.stack import log_bound
from shaketable.stack.engine import Box


def test_log_that_grows_too_long_is_cut_and_written_on(tmp_path: Path) -> None:
    log = tmp_path / "worker-1.log"
    with log.open("ab", buffering=0) as target:
        target.write(b"x" * 1_000)
        assert not log_bound.cut(log, most=1_000, kept=100)
        target.write(b"x")
        assert log_bound.cut(log, most=1_000, kept=100)
        target.write(b"y\n")
    assert log.read_bytes().startswith(b"x" * 100 + b"\nshaketable: cut here")
    assert log.read_bytes().endswith(b"\ny\n")


def test_logs_of_a_folder_are_looked_at_until_the_end(tmp_path: Path) -> None:
    log = tmp_path / "worker-1.log"
    with log_bound.LogBound(tmp_path) as logs:
        with log.open("wb") as out:
            out.truncate(log_bound.MOST + 1)
        assert await_cut(logs) == [log.name]
        assert log.stat().st_size < log_bound.KEPT + 1_000
        assert logs.newly_cut() == []  # each is told once


def test_log_that_is_evidence_may_be_longer_and_is_not_judged_without_its_rest(tmp_path: Path) -> None:
    log, other = tmp_path / log_bound.EVIDENCE, tmp_path / "worker-1.log"
    with log_bound.LogBound(tmp_path) as logs:
        for path in (log, other):
            with path.open("wb") as out:
                out.truncate(log_bound.MOST + 1)
        assert await_cut(logs) == [other.name]
        assert log.stat().st_size == log_bound.MOST + 1
        os.truncate(log, log_bound.MOST_EVIDENCE + 1)
        with pytest.raises(UnexpectedFailure, match=r"postgres\.log"):
            await_cut(logs)


def await_cut(logs: log_bound.LogBound) -> list[str]:
    deadline = time.monotonic() + 30
    while not (found := logs.newly_cut()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


class Chatty:
    """An engine whose container has said this."""

    def __init__(self, *said: bytes) -> None:
        self.api, self._said = self, said

    def logs(self, _: str, **__: object) -> Iterator[bytes]:
        return iter(self._said)


def test_what_a_container_said_is_taken_up_to_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_bound, "MOST_EVIDENCE", 10)
    Box(Chatty(b"x" * 5, b"y" * 5), "1", "postgres").write_log(tmp_path / "whole.log")
    assert (tmp_path / "whole.log").read_bytes() == b"xxxxxyyyyy"
    with pytest.raises(UnexpectedFailure, match=r"torn\.log"):
        Box(Chatty(b"x" * 5, b"y" * 6), "1", "postgres").write_log(tmp_path / "torn.log")
    assert (tmp_path / "torn.log").read_bytes().startswith(b"xxxxx\nshaketable: cut here")
