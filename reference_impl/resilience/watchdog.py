"""The watchdog bounds every call to the store: it shuts the socket down when the time is up.

Nothing gentler works on a silent link: the server's own time-outs do not reach us, and a cancelled psycopg call first
tries to cancel its query on the server, over the same silent link.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

Connection = psycopg.AsyncConnection[Any]


def shutdown_socket(connection: Connection) -> None:
    """End both directions at once: a pending call on this connection fails now. Sends no statement."""
    # an error means that it is closed already
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as twin:
        twin.shutdown(socket.SHUT_RDWR)


@contextmanager
def bounded(connection: Connection, seconds: float) -> Iterator[None]:
    """Fail any call on this connection with an OperationalError when `seconds` are over."""
    timer = asyncio.get_running_loop().call_later(seconds, shutdown_socket, connection)
    try:
        yield
    finally:
        timer.cancel()
