"""`python forward.py listen|connect PORT SOCKET`: forward a port of loopback through a Unix socket, as SSH would.

A Unix socket connects two network namespaces: `listen` in one of them, `connect` in the other.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio import StreamReader, StreamWriter


async def pump(reader: StreamReader, writer: StreamWriter) -> None:
    try:
        while chunk := await reader.read(1 << 16):
            writer.write(chunk)
            await writer.drain()
    except ConnectionError:
        pass  # the other direction ends with it
    finally:
        writer.close()


async def serve(role: str, port: int, socket: str) -> None:
    async def forward(reader: StreamReader, writer: StreamWriter) -> None:
        there = asyncio.open_unix_connection(socket) if role == "listen" else asyncio.open_connection("127.0.0.1", port)
        other, to_other = await there
        await asyncio.gather(pump(reader, to_other), pump(other, writer))

    listening = asyncio.start_server(forward, "127.0.0.1", port) if role == "listen" else None
    server = await (listening or asyncio.start_unix_server(forward, socket))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
