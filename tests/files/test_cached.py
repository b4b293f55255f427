"""What is dear is made once and whole, whoever asks at once, and whoever is killed meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from shaketable.errors import HarnessError
from shaketable.files import cached

#: Makes a folder by a program that outlives it for a while, and tells once that has begun.
SLOW = """
import sys
from pathlib import Path
from shaketable.files import cached

def make(folder, lock):
    folder.mkdir()
    cached.execute([sys.executable, "-c", PROGRAM, str(folder)], {}, lock, "it")

PROGRAM = '''
import os, sys, time
from pathlib import Path
parent = os.getppid()  # before the test can end it
(Path(sys.argv[1]) / "half").touch()
while os.getppid() == parent: time.sleep(0.01)
time.sleep(0.5)
Path(sys.argv[1]).with_name("ended").touch()
'''
cached.ensure(Path(sys.argv[1]), make, "it", print)
"""


def made(folder: Path, lock: int) -> None:
    folder.mkdir()
    (folder / "all").touch()


def quiet(_: str) -> None: ...


def await_(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert condition()


def test_what_is_whole_is_not_made_again(tmp_path: Path) -> None:
    told: list[str] = []
    for _ in range(2):
        cached.ensure(tmp_path / "it", made, "it", told.append)
    assert told == ["making it, once (up to a minute)"]


def test_who_comes_while_it_is_made_waits_and_makes_nothing(tmp_path: Path) -> None:
    told: list[str] = []
    began, go_on = threading.Event(), threading.Event()

    def slowly(folder: Path, lock: int) -> None:
        began.set()
        assert go_on.wait(20)
        made(folder, lock)

    first = threading.Thread(target=cached.ensure, args=(tmp_path / "it", slowly, "it", told.append))
    first.start()
    assert began.wait(20)
    second = threading.Thread(target=cached.ensure, args=(tmp_path / "it", made, "it", told.append))
    second.start()
    await_(lambda: len(told) == 2)
    go_on.set()
    first.join(20)
    second.join(20)
    assert told == ["making it, once (up to a minute)", "another run makes it: waiting for it"]


def test_what_a_killed_one_left_is_made_anew_and_never_beside_its_orphan(tmp_path: Path) -> None:
    folder = tmp_path / "it"
    killed = subprocess.Popen([sys.executable, "-c", SLOW, str(folder)])
    await_((folder / "half").exists)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    cached.ensure(folder, made, "it", quiet)
    assert (tmp_path / "ended").exists()
    assert sorted(path.name for path in folder.iterdir()) == ["all", cached.WHOLE]


def test_what_failed_is_told_in_its_own_words_and_tried_again(tmp_path: Path) -> None:
    def fails(folder: Path, lock: int) -> None:
        cached.execute([sys.executable, "-c", "print('no such version'); exit(1)"], {}, lock, "it")

    with pytest.raises(HarnessError, match=r"cannot make it \(no such version\): look at the network"):
        cached.ensure(tmp_path / "it", fails, "it", quiet)
    cached.ensure(tmp_path / "it", made, "it", quiet)
    assert (tmp_path / "it" / "all").exists()


def test_a_program_that_is_not_there_is_told_too(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="cannot make it"):
        cached.ensure(tmp_path / "it", lambda _, lock: cached.execute(["no-such-program"], {}, lock, "it"), "it", quiet)
