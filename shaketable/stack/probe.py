"""A round trip with a TCP service, bounded in bytes and in time."""

from __future__ import annotations

import socket
import time
from typing import Literal

from shaketable.stack.service import ServiceProbe
from shaketable.stack.stack import Address

#: `open`: without a probe, it accepts connections and waits for its client: neither an answer nor an end.
How = Literal["answered", "refused", "closed", "reset", "silent", "open"]
#: The most bytes of an answer that are compared.
MOST = 4096
#: Without a probe, seconds in which a service may say something or close.
LISTEN_S = 0.3


def exchange(at: Address, probe: ServiceProbe | None, timeout_s: float) -> How:
    """Connect, send the probe's bytes, and compare the beginning of the answer.

    Without a probe, any byte is an answer. Raises no error: the result says how it ended.
    """
    if probe is None:
        return speak(at, None, b"", timeout_s)
    return speak(at, probe.send.encode(), probe.expect.encode(), timeout_s)


def speak(at: Address, opening: bytes | None, expected: bytes, timeout_s: float) -> How:
    """The same with bytes; None sends nothing."""
    deadline = time.monotonic() + timeout_s
    try:
        with socket.create_connection((at.host, at.port), timeout=timeout_s) as connection:
            if opening is None:
                return _anything(connection)
            connection.sendall(opening)
            return _compared(connection, expected, deadline)
    except ConnectionRefusedError:
        return "refused"
    except TimeoutError:
        return "silent"
    except OSError:
        return "reset"


def _anything(connection: socket.socket) -> How:
    connection.settimeout(LISTEN_S)
    try:
        return "answered" if connection.recv(1) else "closed"
    except TimeoutError:
        return "open"


def _compared(connection: socket.socket, expected: bytes, deadline: float) -> How:
    """The answer begins with the expected bytes; another answer counts as none."""
    found = b""
    while len(found) < max(1, len(expected)):
        if (left := deadline - time.monotonic()) <= 0:
            return "silent"
        connection.settimeout(left)
        part = connection.recv(MOST)
        if not part:
            return "closed"
        found += part
        if not expected.startswith(found[: len(expected)]):
            return "closed"  # not the service that the probe describes
    return "answered"
