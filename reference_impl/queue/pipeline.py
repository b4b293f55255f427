"""The intake's connection to the queue: one pipeline that concurrent requests share.

The commands of one turn of the event loop are sent in one write, and replies are matched in order. There is no MULTI:
the events are independent. An event is certainly not stored while there is no connection, since nothing is written
then. Once a command was written and its reply was not read, the outcome is unknown.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import hiredis

from reference_impl import log
from reference_impl.errors import Indeterminate, TemporarilyUnavailable
from reference_impl.queue import address, streams
from reference_impl.resilience.background import Sleep

#: Pause between two attempts to connect, in seconds.
RECONNECT_S = 0.2


class _Wire(asyncio.Protocol):
    """One connection: sends commands, and gives each reply to the future that waits for it."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._reader = hiredis.Reader()
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._out: list[bytes] = []
        self.open = True  # accepts commands: not lost, and its server was not demoted

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def __len__(self) -> int:
        return len(self._waiting)

    def send(self, *command: str | bytes) -> asyncio.Future[Any]:
        """Add a command to this turn's write; returns its reply. Raises Indeterminate when no reply comes."""
        loop = asyncio.get_running_loop()
        if not self._out:
            loop.call_soon(self._flush)
        self._out.append(hiredis.pack_command(command))  # type: ignore[arg-type]  # its stub allows one word only
        reply: asyncio.Future[Any] = loop.create_future()
        self._waiting.append(reply)
        return reply

    def _flush(self) -> None:
        commands, self._out = self._out, []
        if self._transport:
            self._transport.write(b"".join(commands))

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        while (reply := self._reader.gets()) is not False:
            waiting = self._waiting.popleft()
            if not waiting.done():  # it is cancelled when its client has disconnected
                waiting.set_result(reply)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.open = False
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_exception(Indeterminate("the connection to the queue broke before its reply"))

    def abort(self) -> None:
        """Close at once."""
        if self._transport:
            self._transport.abort()


class Pipeline:
    """Keeps one connection to the queue open, and adds events over it."""

    def __init__(self, url: str, timeout_s: float, max_in_flight: int, wanted_lanes: int, sleep: Sleep) -> None:
        self._address = address.parse(url)
        self._tls = address.tls(self._address)
        self._timeout_s, self._max_in_flight = timeout_s, max_in_flight
        self._wanted_lanes, self._sleep = wanted_lanes, sleep
        self._wire: _Wire | None = None
        self.lanes = 0
        self.connected = asyncio.Event()  # set by the first connection, and never cleared

    async def run(self) -> None:
        """Connect, and connect again whenever the connection is lost, until the sleep raises ShuttingDown."""
        while True:
            await self._use(_Wire())
            await self._sleep(RECONNECT_S)

    async def add(self, lane: int, event_id: str, event: bytes, digest: str) -> None:
        """Return once the queue has the event. Raises TemporarilyUnavailable if it has not, else Indeterminate."""
        wire = self._wire
        if wire is None or not wire.open:
            raise TemporarilyUnavailable("the queue is unavailable")
        if len(wire) >= self._max_in_flight:
            raise TemporarilyUnavailable("too many events wait for the queue's reply")
        reply = wire.send("XADD", streams.key(lane), "*", "event_id", event_id, "event", event, "hash", digest)
        # a silent connection is closed: whoever waits behind this command would wait as long
        timer = asyncio.get_running_loop().call_later(self._timeout_s, wire.abort)
        try:
            refusal = await reply
        finally:
            timer.cancel()
        if isinstance(refusal, hiredis.ReplyError):
            code = str(refusal).partition(" ")[0]
            if code in streams.DEMOTED:
                wire.open = False  # replies under way are read until `_use` closes it
            raise TemporarilyUnavailable(f"the queue refused it ({code})")

    async def _use(self, wire: _Wire) -> None:
        """Connect, and let `add` use this connection until it is lost."""
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._connect(wire)
                await self._prepare(wire)
            self._wire = wire
            self.connected.set()
            while wire.open:
                await self._sleep(RECONNECT_S)
        except (OSError, Indeterminate, hiredis.HiredisError) as e:
            log.warning("the queue is unavailable", type=type(e).__name__)
        finally:
            self._wire = None
            wire.abort()

    async def _connect(self, wire: _Wire) -> None:
        loop = asyncio.get_running_loop()
        if path := self._address.get("path"):
            await loop.create_unix_connection(lambda: wire, path)
        else:
            host, port = self._address.get("host", "localhost"), self._address.get("port", 6379)
            await loop.create_connection(lambda: wire, host, port, ssl=self._tls)

    async def _prepare(self, wire: _Wire) -> None:
        """Log in, select the database, require a primary that evicts nothing, and read the lane count."""
        if login := [self._address[part] for part in ("username", "password") if self._address.get(part)]:
            await _ask(wire, "AUTH", *login)
        await _ask(wire, "SELECT", str(self._address.get("db", 0)))
        await _ask(wire, "CLIENT", "SETNAME", streams.INTAKE)
        lines = (await _ask(wire, "INFO")).decode().splitlines()
        info = dict(line.split(":", 1) for line in lines if ":" in line)
        if info.get("role") != "master":
            raise hiredis.ReplyError("READONLY the server is a replica")
        if streams.policy_may_evict(info.get("maxmemory_policy", "")):
            raise hiredis.ReplyError("the server could evict events: its maxmemory-policy is not noeviction")
        if info.get("aof_enabled") == "0":
            log.warning("the queue is not durable: with appendonly no, a crash of its server loses accepted events")
        self.lanes = await _ask(wire, "EVAL", streams.LANES_IN_FORCE, "1", streams.LANES, str(self._wanted_lanes))
        streams.warn_if_other_count(self.lanes, self._wanted_lanes)


async def _ask(wire: _Wire, *command: str) -> Any:
    """The reply to a command. Raises hiredis.ReplyError when the server refuses it."""
    if isinstance(reply := await wire.send(*command), hiredis.ReplyError):
        raise reply
    return reply
