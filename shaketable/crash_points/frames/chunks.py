"""Any other protocol: each chunk of bytes that arrives at once is taken as a message."""

from __future__ import annotations

from collections.abc import Iterator

from shaketable.crash_points.frames.wire import CHUNK, Part


class ChunkWire:
    """Implements `Wire`. The next chunk of the service replies to all chunks of the process before it."""

    opaque = ""

    def __init__(self) -> None:
        self._asked = False

    def outgoing(self, data: bytes) -> Iterator[Part]:
        self._asked = True
        yield Part(data, CHUNK)

    def incoming(self, data: bytes) -> Iterator[Part]:
        asked, self._asked = self._asked, False
        yield Part(data, CHUNK if asked else None)
