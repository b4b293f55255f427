"""A target for tests of the load: `target.py LOG MODE`; prints its port, and logs each request's id, begin and end.

Modes: ok; later (503 to each first attempt of one event in five); slow (answers after 50 ms); silent (never answers);
a number (that status to everything).
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
import zlib
from collections import Counter
from typing import TextIO

LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
WORDS = {202: "Accepted", 422: "Unprocessable", 503: "Unavailable"}


class Target:
    def __init__(self, log: TextIO, mode: str) -> None:
        self.log, self.mode, self.seen = log, mode, Counter[str]()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = LENGTH.search(head)
                body = await reader.readexactly(int(length[1]) if length else 0)
                began = time.monotonic_ns()
                status = await self.answer(body)
                self.note(body, status, began, head.split()[1].decode())  # first: who has an answer finds it in the log
                text = f"HTTP/1.1 {status} {WORDS.get(status, 'Other')}\r\nContent-Length: 2\r\n\r\n{{}}"
                writer.write(text.encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has gone
        finally:
            writer.close()

    async def answer(self, body: bytes) -> int:
        if self.mode == "silent":
            await asyncio.sleep(3_600)
        if self.mode == "slow":
            await asyncio.sleep(0.05)
        if self.mode.isdigit():
            return int(self.mode)
        if not good(body):
            return 422
        event_id = json.loads(body)["eventId"]
        self.seen[event_id] += 1
        later = self.mode == "later" and self.seen[event_id] == 1 and zlib.crc32(event_id.encode()) % 5 == 0
        return 503 if later else 202

    def note(self, body: bytes, status: int, began: int, path: str) -> None:
        event = json.loads(body) if good(body) else {}
        line = {
            "id": event.get("eventId"),
            "organization": event.get("organizationId"),
            "status": status,
            "path": path,
            "began": began,
            "ended": time.monotonic_ns(),
        }
        self.log.write(json.dumps(line) + "\n")
        self.log.flush()


def good(body: bytes) -> bool:
    """Roughly what a target of the contract accepts."""
    try:
        event = json.loads(body)
        action = event["action"]  # malformed shapes are called so, unless it is this member that is wrong
        return (
            event["status"] in ("attempt", "success", "failure") and isinstance(action, str) and action != "malformed"
        )
    except (ValueError, TypeError, KeyError):
        return False


async def main(log: str, mode: str) -> None:
    with open(log, "a") as out:
        server = await asyncio.start_server(Target(out, mode).serve, "127.0.0.1", 0, backlog=2048, limit=2**22)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
