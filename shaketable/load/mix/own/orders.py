"""The values by which a target's own events are ordered, and the events that have room for them.

The harness writes any of the values into any ordered event, so each of them must fit each of those events.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from shaketable.errors import ManifestError
from shaketable.event import pointer
from shaketable.load.mix.own import template
from shaketable.load.mix.own.schema import Schema


@dataclass(frozen=True)
class Orders:
    """Values for the member `pointed`, as they are and as JSON; none if nothing orders the events."""

    pointed: str | None
    schema: Schema | None
    values: Sequence[Any] = ()
    #: Those that are compared with the schema for each event.
    tried: Sequence[Any] = ()
    written: Sequence[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "written", [template.encoded(each) for each in self.values])

    def fit(self, body: Any) -> bool:
        """Whether the event has the member, and stays one that could be drawn with any of the values in it."""
        return self.pointed is not None and has(body, self.pointed) and self._all_fit(body, self.tried)

    def _all_fit(self, body: Any, values: Sequence[Any]) -> bool:
        return all(self._fits(body, each) for each in values)

    def _fits(self, body: Any, value: Any) -> bool:
        changed = pointer.replaced(body, pointer.steps(self.pointed or ""), value)
        return self.schema is None or self.schema.draws(changed)

    def chosen(self, bodies: Sequence[Any], count: int) -> Orders:
        """The same with at most `count` values: readable ones if they fit every event, else those of drawn events.

        Raises ManifestError if no event has the member.
        """
        if self.pointed is None:
            return self
        having = [body for body in bodies if has(body, self.pointed)]
        if not having:
            raise ManifestError(f"event.order_by {self.pointed!r} leads nowhere: no drawn event has that member")
        for readable in ([f"order-{n}" for n in range(1, count + 1)], list(range(1, count + 1))):
            ends = readable[:: max(1, count - 1)]  # the others differ in no more; comparing all takes ten seconds
            if self.schema and self._all_fit(having[0], readable) and all(self._all_fit(body, ends) for body in having):
                return Orders(self.pointed, self.schema, readable, ends)
        drawn = list(self._of_drawn(having))[:count]
        return Orders(self.pointed, self.schema, drawn, drawn)

    def _of_drawn(self, having: Sequence[Any]) -> Iterator[Any]:
        """The value that fits the most events, and the others that fit all of those."""
        found = [pointer.find(body, pointer.steps(self.pointed or "")) for body in having]
        values = list({template.encoded(each): each for each in found}.values())
        if self.schema is None:
            return iter(values)
        fitting = [{at for at, body in enumerate(having) if self._fits(body, each)} for each in values]
        most = max(fitting, key=len)
        return (each for each, fits in zip(values, fitting, strict=True) if fits >= most)


def has(body: Any, pointed: str) -> bool:
    """Whether the event has that member."""
    with suppress(LookupError):
        pointer.find(body, pointer.steps(pointed))
        return True
    return False
