"""A relay of one process: passes its messages to the services and their replies back, and springs a trap at one.

All connections of a process share one thread, so while a trap springs, no other message of the process passes.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from shaketable.crash_points.frames.chunks import ChunkWire
from shaketable.crash_points.frames.postgres import PostgresWire
from shaketable.crash_points.frames.resp import RespWire
from shaketable.crash_points.frames.wire import Part, Wire
from shaketable.crash_points.point import Point, When
from shaketable.errors import HarnessError
from shaketable.stack.stack import Address

#: By service; any other is relayed in chunks.
WIRES: dict[str, Callable[[], Wire]] = {"postgres": PostgresWire, "redis": RespWire}
#: Bytes read at once.
READ = 1 << 16
#: Seconds that the relay's thread may take to answer.
ANSWER_S = 10.0


class Then(Enum):
    """What becomes of the message at which a trap has sprung."""

    PASS = "it passes on"
    DROP = "it is dropped, and its connection is closed"
    HOLD = "it passes on once the trap is released"


@dataclass
class Trap:
    """`spring` is called once, in the relay's thread, when the message is about to pass."""

    point: Point
    spring: Callable[[], Then]
    sprung_at: int | None = None  # in monotonic ns
    released: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Seen:
    """How often a message passed since `mark`, and when first; in monotonic ns."""

    first_at: int
    count: int = 0


class Relay:
    """Listens for one process's links. A context manager."""

    def __init__(self, process: str) -> None:
        self.process, self.seen = process, dict[Point, Seen]()
        self.opaque: set[tuple[str, str]] = set()  # services whose messages could not be read, and why
        self._trap: Trap | None = None
        self._servers: list[asyncio.Server] = []
        #: Nothing else refers to a connection whose process has ended its side: it would be collected as garbage.
        self._connections = set[asyncio.Task[None] | None]()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"relay of {process}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End all connections."""
        if self._thread.is_alive():
            self._do(self._end())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(ANSWER_S)
            self._loop.close()

    def listen(self, service: str, at: Address, upstream: Address) -> None:
        """Relay connections to `at` to the service at `upstream`. Raises HarnessError."""

        async def start() -> None:
            async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                self._connections.add(connection := asyncio.current_task())
                try:
                    await self._serve(service, upstream, reader, writer)
                except asyncio.CancelledError:
                    pass  # by `close`; of a handler that is cancelled, asyncio prints a traceback in Python 3.11
                finally:
                    self._connections.discard(connection)

            self._servers.append(await asyncio.start_server(serve, at.host, at.port, limit=READ))

        try:
            self._do(start())
        except OSError as e:
            raise HarnessError(f"the relay of {self.process} cannot listen at {at}: {e}") from e

    def mark(self) -> None:
        """Forget the messages that have passed so far."""
        self._loop.call_soon_threadsafe(self.seen.clear)

    def arm(self, trap: Trap) -> None:
        """Spring this trap at the next message of its point."""
        self._trap = trap

    def disarm(self, before_release: Callable[[], None] = lambda: None) -> None:
        """Take the trap away, and let the message pass that it holds. It springs before this returns, or never."""
        trap: Trap | None = None

        async def take() -> None:
            nonlocal trap
            trap, self._trap = self._trap, None

        try:
            self._do(take())  # in the thread in which it springs
        finally:
            before_release()
            if trap is not None:
                self._loop.call_soon_threadsafe(trap.released.set)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(ANSWER_S)

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        while tasks := asyncio.all_tasks() - {asyncio.current_task()}:  # a connection may have come meanwhile
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=ANSWER_S / 2)
        for _ in range(2):
            await asyncio.sleep(0)  # lets the transports close their sockets

    async def _serve(
        self, service: str, upstream: Address, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """One connection, until both sides have ended it."""
        try:
            out_reader, out_writer = await asyncio.open_connection(upstream.host, upstream.port, limit=READ)
        except OSError:
            writer.transport.abort()
            return
        wire = WIRES.get(service, ChunkWire)()
        try:
            await asyncio.gather(
                self._pump(service, "before", reader, out_writer, wire.outgoing, writer),
                self._pump(service, "after", out_reader, writer, wire.incoming, writer),
            )
        finally:
            if wire.opaque:
                self.opaque.add((service, wire.opaque))
            writer.close()
            out_writer.close()

    async def _pump(
        self,
        service: str,
        when: When,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        parts: Callable[[bytes], Iterator[Part]],
        process: asyncio.StreamWriter,
    ) -> None:
        """One direction of a connection, until its end, which the other side then sees as an end too.

        A drop resets the side of the process. The service sees an end, and no reset: that could overtake the messages
        which have passed before.
        """
        with suppress(OSError):  # a reset is an end
            while data := await reader.read(READ):
                if not await self._forward(service, when, parts(data), writer):
                    process.transport.abort()
                    break
        with suppress(OSError):
            writer.write_eof()
            while await reader.read(READ):
                pass  # what nobody will hear

    async def _forward(self, service: str, when: When, parts: Iterator[Part], writer: asyncio.StreamWriter) -> bool:
        """Write the parts, up to one that is dropped; returns whether all passed."""
        for part in parts:
            if part.kind is not None and not await self._passes(Point(self.process, service, part.kind, when)):
                return False
            if not writer.is_closing():
                writer.write(part.data)
        if not writer.is_closing():
            await writer.drain()
        return True

    async def _passes(self, point: Point) -> bool:
        """Note the message, and spring the trap that waits for it; returns whether the message passes on."""
        now, trap = time.monotonic_ns(), self._trap
        self.seen.setdefault(point, Seen(now)).count += 1
        if trap is None or trap.sprung_at is not None or trap.point != point:
            return True
        trap.sprung_at = now
        then = trap.spring()
        if then is Then.HOLD:
            await trap.released.wait()
        return then is not Then.DROP
