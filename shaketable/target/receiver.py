"""The harness's receiver of webhooks: it records each delivery before it answers 204, and serves what it has.

`POST path` is a delivery; `GET /received?offset=0&limit=1000` gives what was received, as NDJSON and in pages, as
`readers.pages` reads it.
"""

from __future__ import annotations

import tempfile
import time
from array import array

import msgspec

from shaketable.event import json_text
from shaketable.target.body_server import RECEIVED, BodyServer
from shaketable.target.readers import ndjson


class Receiver(BodyServer):
    """A server on loopback. Use as a context manager. `event` and `id_` are JSON Pointers into a delivery."""

    def __init__(self, port: int, path: str, event: str = "", id_: str = "/eventId") -> None:
        super().__init__(port, path)
        self._event, self._id = event, id_
        self._ends = array("q", [0])  # where each line ends, in bytes
        self._lines = tempfile.TemporaryFile()  # noqa: SIM115 # closed by `close`

    @property
    def url(self) -> str:
        """The URL that serves what was received, without a link."""
        return f"http://{self.address}{RECEIVED}"

    def close(self) -> None:
        """End the server; what was received is gone."""
        super().close()
        self._lines.close()

    def record(self, body: bytes) -> None:
        """Append a delivery: its id, its content unchanged, its number and the time of receipt."""
        event = ndjson.at(body, self._event)
        written = None if event is None else ndjson.at(event, self._id)
        line = {
            "event_id": None if written is None else msgspec.Raw(json_text.on_one_line(written)),
            "event": body.decode(errors="replace") if event is None else msgspec.Raw(json_text.on_one_line(event)),
            "committed_at": time.time_ns() // 1000,
        }
        with self._lock:
            encoded = msgspec.json.encode({**line, "position": len(self._ends) - 1}) + b"\n"
            self._lines.write(encoded)
            self._ends.append(self._ends[-1] + len(encoded))

    def page(self, offset: int, limit: int) -> tuple[int, bytes]:
        """The number of all deliveries, and the lines of one page."""
        with self._lock:
            count = len(self._ends) - 1
            first, last = min(offset, count), min(offset + limit, count)
            self._lines.seek(self._ends[first])
            found = self._lines.read(self._ends[last] - self._ends[first])
            self._lines.seek(self._ends[-1])
            return count, found
