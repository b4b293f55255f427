"""Sized shapes: bodies around powers of two, and around the limit that a target announces (ingest.max_bytes).

Buffers, frames and columns have such bounds: an event beyond one may be cut, dropped or mangled, and no smaller one is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta

from shaketable.load.mix.shape import EVENT_ID, PAD, Expect, Shape

#: The smallest power of two; smaller bodies are among the hostile shapes.
SMALLEST = 12
#: Characters of a UUID, which replaces EVENT_ID.
UUID_BYTES = 36


def shapes(today: date, limit: int, frame: int = 0) -> Iterator[Shape]:
    """Bodies of 2^n - 1, 2^n and 2^n + 1 bytes below the limit, of the limit, and of a byte more, to be refused.

    A batch of one has `frame` bytes more; one that is to be refused may be sent without them.
    """
    most = limit - frame
    powers = [1 << n for n in range(SMALLEST, limit.bit_length())]
    sizes = {size for power in powers for size in (power - 1, power, power + 1) if size < most}
    for size in sorted(sizes | {most - 1, most}):
        yield of(today, size, Expect.ACCEPT)
    yield of(today, limit + 1, Expect.REFUSE)


def of(today: date, size: int, expect: Expect) -> Shape:
    """A body of so many bytes, with an id of UUID_BYTES."""
    event = {
        "eventId": EVENT_ID.decode(),
        "timestamp": f"{today - timedelta(days=1)}T12:00:00Z",
        "action": "sized",
        "status": "success",
        "detail": PAD.decode(),
    }
    text = json.dumps(event, separators=(",", ":"))
    pad = size - (len(text) - len(EVENT_ID) - len(PAD) + UUID_BYTES)
    return Shape(0, expect, f"{size:,} bytes", text=text, pad=pad, sized=expect is Expect.ACCEPT)
