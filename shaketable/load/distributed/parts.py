"""The parts of a run directory that a worker elsewhere needs, as messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from shaketable import rundir
from shaketable.load.distributed.messages import CORPUS, SCHEDULE, Lines
from shaketable.load.distributed.share import Share
from shaketable.load.mix.shape import Shape
from shaketable.load.schedule import Planned
from shaketable.rundir import RunDir

#: Lines in one message.
LINES = 1_000


def of(run: RunDir, share: Share) -> Iterator[Lines]:
    """The whole corpus, and the share of the schedule."""
    yield from _lines(CORPUS, rundir.read_lines(run / rundir.CORPUS, Shape))
    yield from _lines(SCHEDULE, share.part(rundir.read_lines(run / rundir.SCHEDULE, Planned)))


def _lines(what: str, values: Iterable[object]) -> Iterator[Lines]:
    encode, left = msgspec.json.Encoder().encode, iter(values)
    while some := list(islice(left, LINES)):
        yield Lines(what, "".join(encode(value).decode() + "\n" for value in some))
