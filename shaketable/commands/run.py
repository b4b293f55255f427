"""`shaketable run`: shake once, judge, tell."""

from __future__ import annotations

import dataclasses
import shlex
import sys
from pathlib import Path

from shaketable import run, rundir, scenario
from shaketable.bundled import find
from shaketable.commands import check
from shaketable.live import LiveShow
from shaketable.rundir import RunDir
from shaketable.status import PlainShow


def one(
    name: str,
    target: Path | None,
    *,
    runs: Path,
    seed: int | None,
    replay: Path | None,
    port_base: int | None,
) -> int:
    """Play one scenario and return its exit code."""
    earlier = rundir.find(replay) if replay else None
    asked = scenario.load(name)
    if earlier is not None:
        asked = scenario.replayed(asked, earlier)
    if seed is not None:
        asked = dataclasses.replace(asked, seed=seed)
    order = run.Order(asked, target or find("reference_impl/target.toml"), runs, port_base, earlier)
    with LiveShow() if sys.stdout.isatty() else PlainShow() as show:
        directory: RunDir = run.run(order, show)
    return check.check(
        directory.path, page=True, asked=shlex.join([name, *(["--target", str(target)] if target else [])])
    )
