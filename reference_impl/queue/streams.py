"""The queue: one stream a lane. The owner of a lane reads from its head and deletes entries once they are stored.

All keys:

    events:{n}           stream, an entry is {event_id, event, hash}: event is the JSON of `event.Event`
    intake:lanes         string, the lane count; the first process sets it, only `resize_lanes` changes it
    intake:lanes:most    string, the highest earlier count
    intake:presets       string, the JSON of the store's presets, used while the store is unavailable
    intake:workers       set, the names of workers that have published a heartbeat
    intake:worker:{name} string, the last heartbeat of a worker; it expires when the worker is no longer active
"""

from __future__ import annotations

import zlib
from typing import Any, Self, cast

import msgspec
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import MasterDownError, ReadOnlyError, RedisError

from reference_impl import log

LANES = "intake:lanes"
MOST_LANES = "intake:lanes:most"
WORKERS = "intake:workers"
PRESETS = "intake:presets"

#: The name of the intake's connections on the server.
INTAKE = "reference-intake"

#: Error replies after which both clients close the connection, by code: the server is no longer a primary, and its
#: address may lead to another one by now.
DEMOTED: dict[str, type[RedisError]] = {"READONLY": ReadOnlyError, "MASTERDOWN": MasterDownError}

#: Returns the lane count, which the first process sets and all others adopt.
LANES_IN_FORCE = """
redis.call('SET', KEYS[1], ARGV[1], 'NX')
return tonumber(redis.call('GET', KEYS[1]))
"""

#: Sets the lane count unless a lane holds an event; returns the number of such a lane, else -1.
_RESIZE = """
local most = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), tonumber(redis.call('GET', KEYS[2]) or 0))
for n = 0, most - 1 do
  if redis.call('XLEN', 'events:' .. n) > 0 then return n end
end
redis.call('MSET', KEYS[1], ARGV[1], KEYS[2], most)
return -1
"""

#: XRANGE from the head, by hundreds until there are enough entries or bytes, as one MessagePack reply: redis-py's
#: parser would take longer than everything else together. Returns at least one entry, however large.
_HEAD = """
if not string.find(redis.call('INFO', 'replication'), 'role:master', 1, true) then
  return redis.error_reply('READONLY the server is a replica')
end
local found, bytes, after, count = {}, 0, '-', tonumber(ARGV[1])
while #found < count do
  local some = redis.call('XRANGE', KEYS[1], after, '+', 'COUNT', math.min(100, count - #found))
  for _, entry in ipairs(some) do
    for _, part in ipairs(entry[2]) do bytes = bytes + #part end
    if bytes > tonumber(ARGV[2]) and #found > 0 then return cmsgpack.pack(found) end
    found[#found + 1] = entry
  end
  if #some == 0 then break end
  after = '(' .. some[#some][1]
end
return cmsgpack.pack(found)
"""
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


def connect(url: str, timeout_s: float) -> Redis:
    """A client that never retries a command: redis-py retries ten times by default, and would enqueue twice.

    It closes the connection after each error of `retry_on_error`, and so leaves a demoted primary.
    """
    return Redis.from_url(
        url,
        retry=Retry(NoBackoff(), 0),
        retry_on_error=list(DEMOTED.values()),
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        health_check_interval=0,
    )


async def lanes_in_force(redis: Redis, wanted: int) -> int:
    """The lane count: the stored one, or else the wanted one, which is stored."""
    lanes = int(await redis.eval(LANES_IN_FORCE, 1, LANES, str(wanted)))
    warn_if_other_count(lanes, wanted)
    return lanes


def warn_if_other_count(lanes: int, wanted: int) -> None:
    """Log that this process uses another count than its settings ask for."""
    if lanes != wanted:
        log.warning("another lane count is in force; the command `lanes` changes it", lanes=lanes, wanted=wanted)


async def resize_lanes(redis: Redis, lanes: int) -> int | None:
    """Set the lane count while nothing runs. Returns None, or else the number of a lane that still holds an event."""
    held = int(await redis.eval(_RESIZE, 2, LANES, MOST_LANES, str(lanes)))
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
    await redis.connection_pool.disconnect(inuse_connections=True)


async def may_evict(redis: Redis) -> bool:
    """Whether the server may evict events when its memory is full. Raises ReadOnlyError at a replica, and leaves it."""
    info: dict[str, Any] = await redis.info()
    if info.get("role") != "master":
        await leave(redis)
        raise ReadOnlyError("the server is a replica")
    return policy_may_evict(str(info.get("maxmemory_policy", "")))


def policy_may_evict(policy: str) -> bool:
    """Whether a server with that maxmemory-policy could evict events."""
    return policy != "noeviction"
