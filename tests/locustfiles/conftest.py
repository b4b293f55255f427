from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import shaketable
from shaketable import rundir
from shaketable.load.locust_process import LocustProcess
from shaketable.load.mix import Mix
from shaketable.load.mix.corpus import corpus
from shaketable.load.schedule import Load, Planned, schedule
from shaketable.rundir import RunDir
from shaketable.stack import ports

ROOT = Path(shaketable.__file__).parents[1]


@dataclass
class Running:
    """A target that was started."""

    url: str
    log: Path
    process: subprocess.Popen[str]

    def requests(self) -> list[dict[str, Any]]:
        return list(rundir.read_lines(self.log, dict[str, Any]))


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """What the harness gives to Locust, and nothing of the tester's own."""
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}


@pytest.fixture
def port() -> Iterator[int]:
    """A port that nobody else takes meanwhile."""
    with ports.reserve() as block:
        yield block.take()


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Callable[[str], Running]]:
    """Starts targets in a given mode."""
    with ExitStack() as opened:

        def start(mode: str) -> Running:
            log = tmp_path / "requests.jsonl"
            process = opened.enter_context(
                subprocess.Popen(
                    [sys.executable, str(Path(__file__).with_name("target.py")), str(log), mode],
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            opened.callback(process.kill)
            assert process.stdout
            return Running(f"http://127.0.0.1:{process.stdout.readline().strip()}", log, process)

        yield start


@pytest.fixture
def drive(tmp_path: Path, environment: dict[str, str]) -> Iterator[Callable[..., tuple[LocustProcess, list[Planned]]]]:
    """Starts Locust on a schedule of its own; every one is ended with the test."""
    with ExitStack() as opened:

        def start(host: str, load: Load, mix: Mix | None = None, **how: Any) -> tuple[LocustProcess, list[Planned]]:
            run = RunDir(tmp_path / "run")
            run.logs.mkdir(parents=True)
            mix = mix or Mix(shapes=40)
            shapes = corpus(mix, 1)
            events = schedule(load, mix, shapes, 1)
            rundir.write_lines(run / rundir.CORPUS, shapes)
            rundir.write_lines(run / rundir.SCHEDULE, events)
            locust = LocustProcess(run, host, environment, tmp_path, **{"users": 50, **how})
            opened.callback(locust.stop, 0)
            locust.start()
            return locust, events

        yield start
