"""The floor of an HTTP intake: the reference's server with an application that reads a request and answers 202.

`python -m bench.answer` serves on HTTP_PORT until SIGTERM. What the intake takes longer than this is its own work.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

from starlette.types import Receive, Scope, Send

from reference_impl.ingest import server

#: As long as the intake's answer to one event.
BODY = b'{"eventId":"00000000-0000-7000-8000-000000000000"}'
START: dict[str, Any] = {
    "type": "http.response.start",
    "status": 202,
    "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())],
}


async def app(_: Scope, receive: Receive, send: Send) -> None:
    """Read the body, and answer."""
    while (await receive()).get("more_body"):
        pass
    await send(START)
    await send({"type": "http.response.body", "body": BODY})


if __name__ == "__main__":
    listening = server.bind("127.0.0.1", int(os.environ["HTTP_PORT"]))
    asyncio.run(server.serve(app, listening, asyncio.Event(), 10.0))
