"""The doctor sends by a target's sender as the load does, in a process of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shaketable.doctor import sender_process
from shaketable.doctor.sender_process import SenderProcess
from shaketable.target.bounded_http import NoResponse
from tests.load.test_sender import OBEDIENT, SOUND, write


@pytest.fixture
def sending(tmp_path: Path) -> Iterator[SenderProcess]:
    process = SenderProcess(write(tmp_path, OBEDIENT), os.environ, tmp_path, 0.5)
    yield process
    process.close()


def test_outcome_is_a_response_and_a_failure_is_none(sending: SenderProcess) -> None:
    assert [sending.send("1", body).status for body in (b"acknowledged", b"refused", b"refused_for_now")] == [
        202,
        422,
        503,
    ]
    for body, told in ((b"indeterminate", "indeterminate"), (b"nonsense", "got a bool"), (b"raise", "SenderRaised")):
        with pytest.raises(NoResponse, match=told):
            sending.send("1", body)


@pytest.mark.slow
def test_process_that_ends_is_started_anew(sending: SenderProcess) -> None:
    with pytest.raises(NoResponse, match="sending"):
        sending.send("1", b"exit")
    assert sending.send("1", b"acknowledged").status == 202


def test_what_a_program_of_the_sender_prints_is_no_reply(tmp_path: Path) -> None:
    loud = SOUND.replace("return", "import os; os.system('echo hi; sleep 3 &'); return")
    process = SenderProcess(write(tmp_path, loud), os.environ, tmp_path, 5)
    assert [process.send("1", b"").status for _ in range(2)] == [202, 202]
    process.close()
    assert "hi" in (tmp_path / "sender.log").read_text()


@pytest.mark.parametrize(("doing", "size"), [("time.sleep(60)", 1 << 20), ("os.write(1, b'hi\\n'); time.sleep(1)", 1)])
def test_process_that_does_not_read_or_answers_nonsense_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, doing: str, size: int
) -> None:
    monkeypatch.setattr(sender_process, "MARGIN_S", 0.5)
    process = SenderProcess("", os.environ, tmp_path, 0.5)
    process._command = [sys.executable, "-c", f"import os, time; {doing}"]
    with pytest.raises(NoResponse, match="does not answer"):
        process.send("1", b"x" * size)
    process.close()


def test_class_that_is_no_sender_is_named(tmp_path: Path) -> None:
    process = SenderProcess(write(tmp_path, SOUND.replace("def close", "def shut")), os.environ, tmp_path, 0.5)
    with pytest.raises(NoResponse, match=r"without close\(\)"):
        process.send("1", b"acknowledged")
    process.close()
