"""The intake's connection to the queue: one pipeline that concurrent requests share.

The commands of one turn of the event loop are sent in one write, and replies are matched in order. There is no MULTI:
the events are independent. An event is certainly not stored while there is no connection, since nothing is written
then. Once a command was written and its reply was not read, the outcome is unknown.
"""

import asyncio
import time
from collections import deque
from typing import Any

import hiredis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import InvalidResponse, RedisError

from reference_impl import log
from reference_impl.errors import Indeterminate, TemporarilyUnavailable
from reference_impl.queue import streams
from reference_impl.resilience.background import Sleep
from reference_impl.settings import Settings

#: Pause between two attempts to connect, and between two checks of a connection, in seconds. Most bytes of one read.
POLL_S, READ_BYTES = 0.1, 65_536


class Pipeline:
    """Keeps one connection to the queue open, and adds events over it."""

    def __init__(self, settings: Settings, sleep: Sleep) -> None:
        self._settings, self._sleep = settings, sleep
        self.redis = streams.connect(settings.redis_url, settings.enqueue_timeout_s, streams.INTAKE)
        self._writer: asyncio.StreamWriter | None = None  # of the connection that accepts commands
        self._out: list[bytes] = []  # the commands of this turn
        self._waiting: deque[tuple[float, asyncio.Future[Any]]] = deque()  # since when, and for which reply
        self._acknowledged: dict[int, bytes] = {}  # by lane, the last entry's id
        self.lanes = 0
        self.connected = asyncio.Event()  # set by the first connection, and never cleared

    async def run(self) -> None:
        """Connect, and connect again whenever the connection is lost, until the sleep raises ShuttingDown.

        A silent connection is closed: whoever waits behind its first command would wait as long.
        """
        while True:
            serving = asyncio.create_task(self._serve())
            try:
                while not serving.done() and not self._is_silent():
                    await self._sleep(POLL_S)
            finally:
                serving.cancel()
                await asyncio.wait([serving])
            if not serving.cancelled():
                serving.result()  # raises a defect

    async def add(self, lane: int, event_id: str, event: bytes, digest: str) -> None:
        """Return once the queue has the event. Raises TemporarilyUnavailable if it has not, else Indeterminate."""
        if self._writer is None:
            raise TemporarilyUnavailable("the queue is unavailable")
        if len(self._waiting) >= self._settings.max_in_flight:
            raise TemporarilyUnavailable("too many events wait for the queue's reply")
        if not self._out:
            asyncio.get_running_loop().call_soon(self._write, self._writer)
        command = "XADD", streams.key(lane), "*", "event_id", event_id, "event", event, "hash", digest
        self._out.append(hiredis.pack_command(command))  # type: ignore[arg-type]  # its stub allows one word only
        replied: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((time.monotonic(), replied))
        if isinstance(reply := await replied, RedisError):  # LOADING and NOAUTH are no ResponseError
            raise TemporarilyUnavailable(f"the queue refused it ({reply.status_code or type(reply).__name__})")
        self._acknowledged[lane] = reply

    def _is_silent(self) -> bool:
        """Whether a command has waited too long for its reply."""
        return bool(self._waiting) and time.monotonic() - self._waiting[0][0] > self._settings.enqueue_timeout_s

    def _write(self, writer: asyncio.StreamWriter) -> None:
        commands, self._out = self._out, []
        writer.writelines(commands)

    async def _serve(self) -> None:
        """Connect, let `add` use the connection, and read replies until it is lost or its server was demoted."""
        connection: AbstractConnection = self.redis.connection_pool.make_connection()  # type: ignore[no-untyped-call]
        try:
            await connection.connect()  # type: ignore[no-untyped-call]
            await self._prepare()
            self.connected.set()
            # not by redis-py's methods: they cost a task for each write, and a timer for each reply
            replies = hiredis.Reader(InvalidResponse, connection._parser.parse_error)
            self._writer, reader = connection._writer, connection._reader
            while self._writer is not None or self._waiting:
                if not (received := await reader.read(READ_BYTES)):  # type: ignore[union-attr]
                    raise ConnectionError
                replies.feed(received)
                while (reply := replies.gets()) is not False:
                    if isinstance(reply, streams.DEMOTED):
                        self._writer = None  # replies under way are still read
                    if not (waiting := self._waiting.popleft()[1]).done():  # its client has not disconnected
                        waiting.set_result(reply)
        except streams.UNAVAILABLE as e:
            log.warning("the queue is unavailable", type=type(e).__name__)
        finally:
            self._writer = None
            while self._waiting:
                if not (waiting := self._waiting.popleft()[1]).done():
                    waiting.set_exception(Indeterminate("the connection to the queue broke before its reply"))
            await connection.disconnect(nowait=True)

    async def _prepare(self) -> None:
        """Require a primary that evicts nothing, tell what it has lost, and read the lane count."""
        info = await streams.primary(self.redis)
        if streams.policy_may_evict(info):
            raise RedisError("the server could evict events: its maxmemory-policy is not noeviction")
        if info.get("aof_enabled") == 0:
            log.warning("the queue is not durable: with appendonly no, a crash of its server loses accepted events")
        for lane, id_ in list(self._acknowledged.items()):
            if await streams.has_lost(self.redis, lane, id_):
                log.warning("the queue came back without its last entry: it may have lost events", lane=lane)
                await self.redis.incr(streams.LOSSES)
                del self._acknowledged[lane]  # after it is counted: the queue may fail again in between
        self.lanes = await streams.lanes_in_force(self.redis, self._settings.concurrency)
