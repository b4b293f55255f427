"""The manifest's [event]: the shape of a target's own event, its id, its order and how it is compared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import msgspec

#: The place of the id in `id_format`.
PREFIXED = "{uuid}"
#: The formats of an id that the harness writes, except those with a prefix.
FORMATS = ("uuid", "ulid", "integer")
#: A prefix is part of JSON text, of URLs and of logs.
_PREFIX = re.compile(r"[A-Za-z0-9_.:-]{1,40}")
_IN_FILE = re.compile(r"[^:]+\.py:[A-Za-z_]\w*")
_POINTER = re.compile(r"(/([^~/]|~[01])*)+")
#: How numbers are compared: by all their digits, or by their nearest doubles.
Numbers = Literal["exact", "double"]


class ResponseId(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An id that the server makes, as a JSON Pointer into its response."""

    response: str


class EventTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The target's own event. Members are named by JSON Pointers; absent, the event is the audit event."""

    id: str | ResponseId  # where the harness writes the id, or where the server's response has it
    reference: str | None = None  # then: where the harness writes an id of its own, which stored events keep
    schema: str | None = None  # a JSON Schema, relative to the manifest; or
    strategy: str | None = None  # `file.py:name`, a Hypothesis strategy of objects
    invalid: str | None = None  # `file.py:name`, bodies to be refused: a list or a strategy; default: derived ones
    id_format: str = "uuid"  # uuid, ulid, integer, or a prefix before {uuid}
    order_by: str | None = None  # order is judged among equal values
    instants: tuple[str, ...] = ()  # members compared as instants; `*` stands for each element or member
    precision: Literal["s", "ms", "us", "ns"] = "us"
    ignore: tuple[str, ...] = ()  # members not compared; `*` as above
    numbers: Numbers = "exact"  # double: equal if their nearest doubles are

    @property
    def place(self) -> str:
        """Where the harness writes the id of an event."""
        return self.id if isinstance(self.id, str) else self.reference or ""

    @property
    def key(self) -> str:
        """The key that says so."""
        return "id" if isinstance(self.id, str) else "reference"

    @property
    def response_id(self) -> str:
        """Where a response has the server's id; "" if the client makes the id."""
        return "" if isinstance(self.id, str) else self.id.response

    def mistakes(self) -> Iterator[str]:
        """Sentences on keys that contradict each other, each with the remedy."""
        if (self.schema is None) == (self.strategy is None):
            both = "both" if self.schema else "neither"
            yield f"expected [event] to name a schema or a strategy, got {both}: name one"
        for key, place in (("strategy", self.strategy), ("invalid", self.invalid)):
            if place is not None and not _IN_FILE.fullmatch(place):
                yield f"expected event.{key} as 'file.py:name', got {place!r}: name a file and a name in it"
        yield from self._misplaced()
        if not (self.id_format in FORMATS or _PREFIX.fullmatch(self.id_format.removesuffix(PREFIXED))):
            yield (
                f"expected event.id_format to be {', '.join(FORMATS)} or a prefix before {PREFIXED}, "
                f"got {self.id_format!r}: write 'ORD-{PREFIXED}' or so, with letters, digits, `_`, `.`, `:` and `-`"
            )
        elif self.id_format not in FORMATS and not self.id_format.endswith(PREFIXED):
            yield f"expected event.id_format to end with {PREFIXED}, got {self.id_format!r}: write one of {FORMATS}"

    def _misplaced(self) -> Iterator[str]:
        named = {"order_by": self.order_by or "/x"}
        if isinstance(self.id, str):
            named |= {"id": self.id}
            if self.reference is not None:
                yield "event.reference is for an id = {response = …}, and the client makes event.id: leave it out"
        else:
            named |= {"id.response": self.id.response, "reference": self.reference or ""}
            if self.reference is None:
                yield (
                    "expected event.reference, since the server makes event.id: name a member that stored events keep, "
                    "in which the harness writes an id of its own, or no stored event can be matched"
                )
                return
        many = {f"{key}[{n}]": each for key in ("instants", "ignore") for n, each in enumerate(getattr(self, key))}
        for key, pointer in (named | many).items():
            if not _POINTER.fullmatch(pointer):
                yield (
                    f"expected event.{key} as a JSON Pointer, got {pointer!r}: write '/order/id' for "
                    '{"order": {"id": …}}, with ~0 for ~ and ~1 for / in a name'
                )
        if self.place == self.order_by:
            yield f"event.order_by and the id are both {self.order_by!r}: order by a member that several events share"
