"""The events that the doctor sends: audit events, or the target's own."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import Any, Protocol

import msgspec

from shaketable.event import ids
from shaketable.load.mix import Mix, malformed
from shaketable.load.mix.own.corpus import OwnShapes
from shaketable.load.mix.shape import Expect, Shape
from shaketable.target.manifest import Manifest

#: An example of each member and type, including values that JSON parsers are known to corrupt.
CONTENT: dict[str, Any] = {
    "action": "doctor.visit",
    "status": "success",
    "principalId": "doctor",
    "organizationId": "org-doctor",
    "targetResourceType": "Patient",
    "targetResourceId": "pat-1",
    "outcomeDescription": "Grüße – 中文 \"'\\ \U0001f468",
    "correlationId": "visit",
    "dataClassification": "INTERNAL",
    "retentionPolicy": "standard",
    "eventVersion": "1.0",
    "ttl": 3600,
    "details": {"list": [1, 2.5, True, {"deep": "x"}], "largest": 9007199254740991, "small": 1e-7},
    "unnamedMember": "kept as well",
}
#: An integer that no double holds, for a target that says how it keeps numbers.
BEYOND = {"beyond": 2**53 + 1}
#: Shapes of a target's own events, and the seed from which they are drawn.
SHAPES, SEED = 60, 1


class Events(Protocol):
    """Makes events of one kind."""

    def new(self) -> tuple[str, bytes]:
        """A new id, and a valid event with it."""

    def malformed(self) -> Iterator[Shape]:
        """Every shape that must be refused."""


class AuditEvents:
    """Audit events."""

    def __init__(self, claims_numbers: bool = False) -> None:
        self._content = CONTENT | BEYOND if claims_numbers else CONTENT

    def new(self, **other: Any) -> tuple[str, bytes]:
        event_id = str(uuid.uuid4())
        stamp = datetime.now(UTC).isoformat(timespec="milliseconds")
        return event_id, msgspec.json.encode({"eventId": event_id, "timestamp": stamp, **self._content, **other})

    def malformed(self) -> Iterator[Shape]:
        return _refused(malformed.shapes(datetime.now(UTC).date()))


class OwnEvents:
    """The target's own events: each of the shapes of a small corpus in turn."""

    def __init__(self, shapes: OwnShapes) -> None:
        self._new_id = ids.maker(shapes.table.id_format)
        self._shapes = shapes.corpus(Mix(shapes=SHAPES), SEED)
        self._good = cycle(shape for shape in self._shapes if shape.expect is Expect.ACCEPT)
        self._count = 0

    def new(self) -> tuple[str, bytes]:
        self._count += 1
        event_id, shape = self._new_id(random.SystemRandom(), self._count), next(self._good)
        return event_id, shape.wire(event_id, shape.order)

    def malformed(self) -> Iterator[Shape]:
        return _refused(iter(self._shapes))


def of(manifest: Manifest, folder: Path) -> Events:
    """The events of a manifest in a folder. Raises ManifestError when they cannot be drawn."""
    if manifest.event:
        return OwnEvents(OwnShapes(manifest.event, folder))
    return AuditEvents(manifest.capabilities.numbers is not None)


def _refused(shapes: Iterator[Shape]) -> Iterator[Shape]:
    return (shape for shape in shapes if shape.expect is Expect.REFUSE)
