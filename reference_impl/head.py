"""The head of a request: whoever sends it byte by byte, or without end, is cut off. uvicorn itself would wait for ever.

A head that comes whole, as they do, costs one look; only one that does not gets a timer.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: Longest head, in bytes.
MOST = 65_536


class Bounded(HttpToolsProtocol):
    """A connection whose heads must come in so many seconds."""

    def __init__(self, seconds: float, **given: Any) -> None:
        super().__init__(**given)
        self._seconds = seconds
        self._missing, self._bytes = False, 0  # whether a head has begun and is not whole, and how long it is by now
        self._late: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._missing:
            return
        self._bytes += len(data)
        self._late = self._late or self.loop.call_later(self._seconds, self.transport.close)
        if self._bytes > MOST:
            self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._missing, self._bytes = True, 0

    def on_headers_complete(self) -> None:
        self._settled()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._settled()
        super().connection_lost(exc)

    def _settled(self) -> None:
        self._missing = False
        if self._late is not None:
            self._late.cancel()
            self._late = None
