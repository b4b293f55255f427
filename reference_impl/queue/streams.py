"""The queue: one stream a lane. The owner of a lane reads from its head and deletes entries once they are stored.

All keys:

    events:{n}           stream, an entry is {event_id, event, hash}: event is the JSON of `event.Event`
    intake:lanes         string, the lane count; the first process sets it, only the command `lanes` changes it
    intake:lanes:most    string, the highest earlier count
    intake:presets       string, the JSON of the store's presets, used while the store is unavailable
    intake:losses        string, how often a lane came back without its last entry
    intake:writable      string, empty; written to see whether the server accepts writes, and soon expired
    intake:workers       set, the names of workers that have published a heartbeat
    intake:worker:{name} string, the last heartbeat of a worker; it expires when the worker is no longer active
"""

import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any, Self, cast
from urllib.parse import urlsplit

import msgspec
from redis.asyncio import Redis, SSLConnection
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import MasterDownError, ReadOnlyError, RedisError

from reference_impl import log
from reference_impl.errors import SettingsError

LANES, MOST_LANES = "intake:lanes", "intake:lanes:most"
WORKERS = "intake:workers"
PRESETS = "intake:presets"
LOSSES, WRITABLE = "intake:losses", "intake:writable"

#: The name of the intake's connections on the server.
INTAKE = "reference-intake"

#: The errors of a client while the queue's server does not answer.
UNAVAILABLE = (RedisError, OSError)
#: Error replies after which a connection is closed: the server is no longer a primary, and its address may lead to
#: another one by now.
DEMOTED = (ReadOnlyError, MasterDownError)

#: The parts of the queue's address, besides the options of TLS. Any other option would change how the queue is used.
_ADDRESS_PARTS = {"host", "port", "path", "connection_class", "db", "username", "password"}

_HEAD, _RESIZE = (Path(__file__).with_name(f"{name}.lua").read_text(encoding="utf-8") for name in ("head", "resize"))
#: Entries that are not text are read by redis-py, this many at a time.
_FOREIGN = 10


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One entry of a lane: its stream id, and its fields by name."""

    id: str
    fields: list[str]

    @classmethod
    def from_redis(cls, id_: bytes, fields: dict[bytes, bytes]) -> Self:
        """The entry as redis-py returns it; bytes that are not UTF-8 are replaced."""
        return cls(id_.decode(), [part.decode("utf-8", "replace") for pair in fields.items() for part in pair])

    def field(self, name: str) -> str:
        """The value of that field; empty in an entry without it, which another program has added."""
        for i in range(0, len(self.fields) - 1, 2):
            if self.fields[i] == name:
                return self.fields[i + 1]
        return ""

    @property
    def accepted_at(self) -> float:
        """When the queue accepted it, in UTC seconds."""
        return int(self.id.partition("-")[0]) / 1000


_decode_entries = msgspec.msgpack.Decoder(list[Entry]).decode


def key(lane: int) -> str:
    """The key of a lane's stream."""
    return f"events:{lane}"


def lane_of(organization_id: str | None, event_id: str, lanes: int) -> int:
    """The lane of an organization, whose events stay in order there; the id decides for an event without one."""
    return zlib.crc32((event_id if organization_id is None else organization_id).encode()) % lanes


def require_address(url: str) -> None:
    """Raise ValueError for an address that is none, and SettingsError for an option that cannot be honoured."""
    address = parse_url(url)
    if unknown := [name for name in address if name not in _ADDRESS_PARTS and not name.startswith("ssl_")]:
        known = "db, username, password and those of TLS"
        raise SettingsError(f"REDIS_URL: expected no options but {known}, got {', '.join(unknown)}")
    if not url.startswith("unix:") and not (urlsplit(url).path.strip("/") or "0").isdecimal():
        raise ValueError("the database is not a number")
    try:
        connection = connect(url, 1.0).connection_pool.make_connection()  # type: ignore[no-untyped-call]
        if isinstance(connection, SSLConnection):
            connection.ssl_context.get()  # reads the files
    except (TypeError, OSError, ValueError, RedisError) as e:  # OSError: a file, or ssl.SSLError
        raise SettingsError(f"REDIS_URL: expected valid ssl options, got {type(e).__name__}: {e}") from None


def connect(url: str, timeout_s: float, name: str | None = None) -> Redis:
    """A client that never retries a command: redis-py retries ten times by default, and would enqueue twice.

    It closes the connection after each error of `retry_on_error`, and so leaves a demoted primary.
    """
    return Redis.from_url(
        url,
        client_name=name,
        protocol=2,  # no message but replies, which the intake counts
        retry=Retry(NoBackoff(), 0),
        retry_on_error=list(DEMOTED),
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        health_check_interval=0,
    )


async def lanes_in_force(redis: Redis, wanted: int) -> int:
    """The lane count: the stored one, or else the wanted one, which is stored."""
    await redis.set(LANES, wanted, nx=True)
    if (lanes := int(await redis.get(LANES) or wanted)) != wanted:
        log.warning("another lane count is in force; the command `lanes` changes it", lanes=lanes, wanted=wanted)
    return lanes


async def resize_lanes(redis: Redis, lanes: int) -> int | None:
    """Set the lane count while nothing runs. Returns None, or else the number of a lane that still holds an event."""
    held = int(cast(Any, await redis.eval(_RESIZE, 2, LANES, MOST_LANES, str(lanes))))
    return None if held < 0 else held


async def head(redis: Redis, lane: int, count: int, size: int) -> list[Entry]:
    """Read the first entries of a lane, oldest first: at most `count`, and at most `size` bytes of them."""
    packed: Any = await redis.eval(_HEAD, 1, key(lane), str(count), str(size))
    try:
        return _decode_entries(packed)
    except (msgspec.MsgspecError, UnicodeDecodeError):  # an entry of another program
        return [Entry.from_redis(*found) for found in cast(Any, await redis.xrange(key(lane), count=_FOREIGN))]


async def wait(redis: Redis, lane: int, seconds: float) -> None:
    """Return when the lane holds an entry, or when the time is up."""
    await redis.xread({key(lane): "0"}, count=1, block=max(1, int(seconds * 1000)))


async def remove(redis: Redis, lane: int, entries: list[Entry]) -> None:
    """Delete stored entries, which are the head of the lane: all entries up to the last of them.

    The server parses and logs one id instead of a thousand. Later entries have a higher one.
    """
    ms, _, count = entries[-1].id.partition("-")
    await redis.xtrim(key(lane), minid=f"{ms}-{int(count) + 1}", approximate=False)


async def depths(redis: Redis, wanted: int) -> list[int]:
    """The number of events in each lane, also in lanes of an earlier, higher count."""
    lanes, most = await redis.mget(LANES, MOST_LANES)
    async with redis.pipeline(transaction=False) as pipe:
        for lane in range(max(int(lanes or wanted), int(most or 0))):
            pipe.xlen(key(lane))
        return list(map(int, await pipe.execute()))


async def leave(redis: Redis) -> None:
    """Close every connection to a demoted server, since its address may lead to another one by now."""
    log.warning("the queue's server is a replica: reconnecting")
    await redis.connection_pool.update_active_connections_for_reconnect()  # type: ignore[no-untyped-call]
    await redis.connection_pool.disconnect(inuse_connections=False)  # another task's is closed when it is released


async def primary(redis: Redis) -> dict[str, Any]:
    """INFO of the server. Raises ReadOnlyError at a replica, and leaves it."""
    info: dict[str, Any] = await redis.info()
    if info.get("role") != "master":
        await leave(redis)
        raise ReadOnlyError("the server is a replica")
    return info


def policy_may_evict(info: dict[str, Any]) -> bool:
    """Whether the server may evict events when its memory is full, by its INFO."""
    return info.get("maxmemory_policy") != "noeviction"


async def accepts_writes(redis: Redis) -> bool:
    """Whether the server accepts them: with a full memory (OOM) or disk (MISCONF) it refuses. Raises OSError."""
    with suppress(RedisError):
        return bool(await redis.set(WRITABLE, b"", ex=1))
    return False


async def has_lost(redis: Redis, lane: int, id_: bytes) -> bool:
    """Whether the lane has never had this entry, not even one that was deleted since."""
    if not await redis.exists(key(lane)):
        return True
    last: bytes = (await redis.xinfo_stream(key(lane)))["last-generated-id"]
    return tuple(map(int, last.split(b"-"))) < tuple(map(int, id_.split(b"-")))
