"""One cheap exchange with a service, timed: the harness's own eyes on a link.

Postgres: a GSSENCRequest, answered by one byte without a log-in. Redis: an inline PING, answered even without a
password. Intake: `GET /` over HTTP/1.0, any answer will do. Each begins with bytes that no client of the target sends,
so that a sink can distinguish the harness's exchanges from the target's attempts.
"""

from __future__ import annotations

import struct
import time
from typing import NamedTuple

from shaketable.stack.probe import How, exchange, speak
from shaketable.stack.service import ServiceProbe
from shaketable.stack.stack import Address, Service

#: Length 8, code 80877104 (PostgreSQL's frontend protocol, "GSSENCRequest"). A target with TLS sends an SSLRequest.
GSS_REQUEST = struct.pack("!II", 8, 80_877_104)
#: Longer than any latency that a scenario injects; a silent link costs this much.
TIMEOUT_S = 2.0

#: What the harness says to each; a service of the target's own has its probe.
_OPENING: dict[Service, bytes] = {
    "postgres": GSS_REQUEST,
    "redis": b"PING shaketable\r\n",
    "outbound": b"GET / HTTP/1.0\r\nUser-Agent: shaketable\r\n\r\n",
    "ingest": b"GET / HTTP/1.0\r\nUser-Agent: shaketable\r\n\r\n",
}


class PingResult(NamedTuple):
    """How an exchange ended, and after how many milliseconds since it began to connect."""

    how: How
    took_ms: float

    @property
    def ms(self) -> float | None:
        """Until the first byte of an answer; None when there was none."""
        return self.took_ms if self.how == "answered" else None

    def __str__(self) -> str:
        return f"{self.took_ms:.1f} ms" if self.how == "answered" else f"no answer ({self.how})"


def ping(service: Service, at: Address, timeout_s: float = TIMEOUT_S, probe: ServiceProbe | None = None) -> PingResult:
    """One exchange."""
    began = time.monotonic_ns()
    opening = _OPENING.get(service)
    how = exchange(at, probe, timeout_s) if opening is None else speak(at, opening, b"", timeout_s)
    return PingResult(how, (time.monotonic_ns() - began) / 1e6)


def round_trip_ms(
    service: Service, at: Address, timeout_s: float = TIMEOUT_S, probe: ServiceProbe | None = None
) -> float | None:
    """Milliseconds from connecting to the first byte of an answer; None when there is none."""
    return ping(service, at, timeout_s, probe).ms


def is_ours(opening: bytes) -> bool:
    """Whether a connection's first bytes are the harness's own."""
    return opening in _OPENING.values()
