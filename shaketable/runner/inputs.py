"""The inputs: corpus and schedule of a run, drawn from its seed or taken over from an earlier run."""

from __future__ import annotations

from pathlib import Path

from shaketable import rundir
from shaketable.files import foreign
from shaketable.load.batch import Batch
from shaketable.load.mix.corpus import corpus
from shaketable.load.mix.own.corpus import OwnShapes
from shaketable.load.mix.shape import Expect
from shaketable.load.schedule import Planned, schedule
from shaketable.rundir import RunDir
from shaketable.runner.scenario import Scenario


def draw(
    run: RunDir,
    scenario: Scenario,
    own: OwnShapes | None = None,
    batch: Batch | None = None,
    max_bytes: int | None = None,
    numbers: bool = False,
) -> int:
    """Write corpus.jsonl and schedule.jsonl, of audit events or the target's own; returns how many are scheduled.

    The events of a `batch` are due together; `max_bytes` and `numbers` are as for `corpus`.

    Raises ManifestError when the target's own events cannot be drawn.
    """
    mix, seed = scenario.mix, scenario.seed
    frame, size = (batch.frame, batch.size) if batch else (0, 1)
    shapes = own.corpus(mix, seed) if own else corpus(mix, seed, None, None, max_bytes, numbers, frame)
    shapes = batch.sendable(shapes) if batch else shapes
    rundir.write_lines(run / rundir.CORPUS, shapes)
    planned = schedule(scenario.load, mix, shapes, seed, own.table.id_format if own else "uuid", size)
    return rundir.write_lines(run / rundir.SCHEDULE, planned)


def event_ids(run: RunDir) -> list[str]:
    """The ids of the well-formed events of a run's schedule."""
    planned = rundir.read_lines(run / rundir.SCHEDULE, Planned)
    return [one.event_id for one in planned if one.expect is Expect.ACCEPT]


def malformed_ids(run: RunDir) -> set[str]:
    """The ids of the events that every target should refuse: nobody waits for one that was accepted all the same."""
    planned = rundir.read_lines(run / rundir.SCHEDULE, Planned)
    return {one.event_id for one in planned if one.expect is Expect.REFUSE}


def take_over(run: RunDir, earlier: RunDir) -> int:
    """Copy another run's corpus and schedule byte for byte; returns how many events are scheduled."""
    _, scheduled = (_copied(earlier / name, run / name) for name in (rundir.CORPUS, rundir.SCHEDULE))
    return scheduled


def _copied(source: Path, to: Path) -> int:
    """How many lines there are. Raises RunDirError for a source that is no file of lines."""
    with rundir.unreadable(source), rundir.whole(to) as out:
        return sum(1 for line in foreign.lines(source) if out.write(line))
