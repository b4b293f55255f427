"""The intake's connection to the queue: one pipeline that concurrent requests share.

Commands of one turn of the event loop leave in one write; replies are matched by their order. There is no MULTI: the
events are strangers to each other. While there is no connection nothing is written, so the answer is certain; once a
byte may have left, whoever's own reply was not read cannot know.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import cast

from reference_impl import log
from reference_impl.errors import Indeterminate, TemporarilyUnavailable
from reference_impl.queue import address, resp, streams
from reference_impl.resilience.backoff import Sleep

#: Seconds between two attempts to connect.
RECONNECT_S = 0.2


class _Wire(asyncio.Protocol):
    """One connection: writes commands, gives each reply to the future that waits for it."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[asyncio.Future[resp.Reply]] = deque()
        self._out: list[bytes] = []
        self._received = bytearray()
        self.closed = asyncio.Event()
        self.leaving = asyncio.Event()  # nothing more is sent; what is under way has until the next look for its reply

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def __len__(self) -> int:
        return len(self._waiting)

    def send(self, command: bytes) -> asyncio.Future[resp.Reply]:
        """Put a packed command into this turn's write. The future raises Indeterminate when its reply is not read."""
        loop = asyncio.get_running_loop()
        if not self._out:
            loop.call_soon(self._flush)
        self._out.append(command)
        reply: asyncio.Future[resp.Reply] = loop.create_future()
        self._waiting.append(reply)
        return reply

    def _flush(self) -> None:
        commands, self._out = self._out, []
        if self._transport is not None and not self.closed.is_set():
            self._transport.write(b"".join(commands))

    def data_received(self, data: bytes) -> None:
        self._received += data
        position = 0
        while parsed := resp.parse(self._received, position):
            reply, position = parsed
            self._settle(reply)
        del self._received[:position]

    def _settle(self, reply: resp.Reply) -> None:
        waiting = self._waiting.popleft()
        if not waiting.done():  # a client that went away has cancelled its own
            waiting.set_result(reply)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.closed.set()
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_exception(Indeterminate("the connection to the queue broke before its reply"))

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()


class Pipeline:
    """Keeps one connection to the queue, and adds events over it."""

    def __init__(self, url: str, timeout_s: float, max_in_flight: int, wanted_lanes: int, sleep: Sleep) -> None:
        self._address = address.parse(url)
        self._tls = address.tls(self._address)
        self._timeout_s, self._max_in_flight = timeout_s, max_in_flight
        self._wanted_lanes, self._sleep = wanted_lanes, sleep
        self._wire: _Wire | None = None
        self.lanes = 0
        self.connected = asyncio.Event()  # set by the first connection, for good

    async def run(self) -> None:
        """Connect, and again whenever the connection is lost, until the sleep raises ShuttingDown."""
        try:
            while True:
                await self._connect()
                if self._wire is not None:
                    await self._until_lost(self._wire)
                await self._sleep(RECONNECT_S)
        finally:
            self._lose()

    async def add(self, lane: int, event_id: str, event: bytes, digest: str) -> None:
        """Return once the queue has it. Raises TemporarilyUnavailable (it has not) or Indeterminate (who knows)."""
        wire = self._wire
        if wire is None or wire.closed.is_set() or wire.leaving.is_set():
            raise TemporarilyUnavailable("the queue is away")
        if len(wire) >= self._max_in_flight:
            raise TemporarilyUnavailable("too many events wait for the queue's reply")
        reply = await self._reply(wire, _xadd(lane, event_id, event, digest))
        if isinstance(reply, resp.ReplyError):
            if reply.code in streams.DEMOTED:
                wire.leaving.set()
            raise TemporarilyUnavailable(f"the queue refused it ({reply.code})")

    async def _reply(self, wire: _Wire, command: bytes) -> resp.Reply:
        """The reply to one command. A silent link is closed: who waits behind would wait as long."""
        reply = wire.send(command)
        timer = asyncio.get_running_loop().call_later(self._timeout_s, wire.abort)
        try:
            return await reply
        finally:
            timer.cancel()

    async def _until_lost(self, wire: _Wire) -> None:
        while not (wire.closed.is_set() or wire.leaving.is_set()):
            await self._sleep(RECONNECT_S)
        self._lose()

    def _lose(self) -> None:
        if self._wire is not None:
            self._wire.abort()
            self._wire = None

    async def _connect(self) -> None:
        wire: _Wire | None = None
        try:
            async with asyncio.timeout(self._timeout_s):
                wire = await self._open()
                await self._greet(wire)
            self._wire = wire
            self.connected.set()
        except (OSError, Indeterminate, TimeoutError, resp.ReplyError) as e:
            log.warning("the queue is away", type=type(e).__name__)
            if wire is not None:
                wire.abort()

    async def _open(self) -> _Wire:
        loop = asyncio.get_running_loop()
        if path := self._address.get("path"):
            return (await loop.create_unix_connection(_Wire, path))[1]
        host, port = self._address.get("host", "localhost"), self._address.get("port", 6379)
        return (await loop.create_connection(_Wire, host, port, ssl=self._tls))[1]

    async def _greet(self, wire: _Wire) -> None:
        """Log in, choose the database, make sure of a primary that evicts nothing, and learn the lane count."""
        user = [self._address[part] for part in ("username", "password") if self._address.get(part)]
        if user:
            await self._ask(wire, "AUTH", *user)
        await self._ask(wire, "SELECT", str(self._address.get("db", 0)))
        await self._ask(wire, "CLIENT", "SETNAME", streams.INTAKE)
        if streams.REPLICA in cast(bytes, await self._ask(wire, "INFO", "replication")):
            raise resp.ReplyError("READONLY a replica takes nothing")
        memory = await self._ask(wire, "INFO", "memory")
        if streams.policy_may_evict(_policy(memory)):
            raise resp.ReplyError("MAXMEMORY-POLICY is not noeviction: the queue could lose events")
        if b"aof_enabled:0" in cast(bytes, await self._ask(wire, "INFO", "persistence")):
            log.warning("the queue is not durable: appendonly is no, so that a crash of its server loses what it took")
        lanes = await self._ask(wire, "EVAL", streams.LANES_IN_FORCE, "1", streams.LANES, str(self._wanted_lanes))
        self.lanes = int(lanes) if isinstance(lanes, int) else self._wanted_lanes
        streams.tell_unlike(self.lanes, self._wanted_lanes)

    async def _ask(self, wire: _Wire, *words: str) -> resp.Reply:
        reply = await wire.send(resp.pack(*(word.encode() for word in words)))
        if isinstance(reply, Exception):
            raise reply
        return reply


def _xadd(lane: int, event_id: str, event: bytes, digest: str) -> bytes:
    """XADD events:{lane} * event_id … event … hash …, packed by hand: redis-py's packing costs more than the rest."""
    key = streams.key(lane).encode()
    return (
        b"*9\r\n$4\r\nXADD\r\n$%d\r\n%b\r\n$1\r\n*\r\n$8\r\nevent_id\r\n$%d\r\n%b\r\n$5\r\nevent\r\n$%d\r\n%b\r\n"
        b"$4\r\nhash\r\n$64\r\n%b\r\n"
    ) % (len(key), key, len(event_id), event_id.encode(), len(event), event, digest.encode())


def _policy(memory: resp.Reply) -> str:
    text = memory.decode() if isinstance(memory, bytes) else ""
    return next((line.partition(":")[2] for line in text.splitlines() if line.startswith("maxmemory_policy:")), "")
