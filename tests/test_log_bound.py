"""A log without bound is cut, says so, and holds up nobody who writes it."""

from __future__ import annotations

from pathlib import Path

from shaketable import log_bound


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
    with log_bound.bounded(tmp_path):
        with log.open("wb") as out:
            out.truncate(log_bound.MOST + 1)
        while log.stat().st_size > log_bound.KEPT + 1_000:
            pass
