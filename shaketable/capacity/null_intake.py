"""An intake that answers 202 to every request and stores nothing: what the load generator reaches without a target.

python -m shaketable.capacity.null_intake PORT
"""

from __future__ import annotations

import asyncio
import re
import sys

#: The answer, without a body.
ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_END = b"\r\n\r\n"


class NullConnection(asyncio.Protocol):
    """Answers each whole request. The bodies have a Content-Length, as those of the load generator do."""

    def __init__(self) -> None:
        self._held = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (head := self._held.find(_END)) >= 0:
            found = _LENGTH.search(self._held, 0, head)
            end = head + len(_END) + (int(found[1]) if found else 0)
            if len(self._held) < end:
                return
            del self._held[:end]
            self._transport.write(ACCEPTED)


async def serve(port: int) -> None:
    """Serve on loopback until the process ends."""
    server = await asyncio.get_running_loop().create_server(NullConnection, "127.0.0.1", port, backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
