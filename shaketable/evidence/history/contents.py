"""The contents of sent and stored events: read on demand, never all in memory."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import msgspec
import pandas as pd

from shaketable import rundir
from shaketable.evidence.history.columns import blocks
from shaketable.load.mix.shape import Shape
from shaketable.rundir import RunDir


class _Row(msgspec.Struct, frozen=True, gc=False):
    event_id: str | None = None
    event: msgspec.Raw = msgspec.Raw(b"null")


class Contents:
    """Bodies of a run's events, by number."""

    def __init__(self, run: RunDir, events: pd.DataFrame | None) -> None:
        self._run, self._events = run, events

    @cached_property
    def shapes(self) -> dict[int, Shape] | None:
        """The corpus by number; None if the run has none."""
        path = self._run / rundir.CORPUS
        return {shape.number: shape for shape in rundir.read_lines(path, Shape)} if path.exists() else None

    def sent(self, number: int) -> bytes | None:
        """The request's body; None without its shape."""
        if self._events is None or not self.shapes:
            return None
        return self._body(number, int(self._events.shape_number.iloc[number]))

    def changed(self, number: int) -> bytes | None:
        """The other contents that were sent again under the event's id; None if there were none."""
        if self._events is None or (shape := int(self._events.changed.iloc[number])) < 0:
            return None
        return self._body(number, shape)

    def _body(self, number: int, shape_number: int) -> bytes | None:
        assert self._events is not None
        event_id, organization = self._events.event_id.iloc[number], self._events.organization.iloc[number]
        shape = (self.shapes or {}).get(shape_number)
        return None if shape is None else shape.wire(event_id, organization if isinstance(organization, str) else None)

    def stored(self) -> Iterator[bytes]:
        """The stored events as JSON, row by row, in the order of `History.stored`."""
        for block in blocks(self._run / rundir.STORED, _Row):
            for row in block:
                yield bytes(row.event)
