"""The queue: one stream a lane. A lane's owner reads from the head and deletes what the store has committed.

Keys, all of them:

    events:{n}           stream, an entry is {event_id, event, hash}: event is the JSON of `event.Event`
    intake:lanes         string, how many lanes there are; who came first has set it, only `recount` changes it
    intake:lanes:most    string, the highest count there was before
    intake:presets       string, the JSON of the store's presets, for when it is away
    intake:workers       set, the names of workers that have beaten
    intake:worker:{name} string, a worker's last heartbeat; it expires when the worker is no longer live
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

#: How the intake's connections are called on the server.
INTAKE = "reference-intake"

#: What INFO says of a server that takes no writes.
REPLICA = b"role:slave"
#: Error replies after which both clients leave the connection, by code: the server is no primary any more, and its
#: address may lead to another by now.
DEMOTED: dict[str, type[RedisError]] = {"READONLY": ReadOnlyError, "MASTERDOWN": MasterDownError}

#: The lane count in force: that of whoever came first. Whoever runs goes by it, and would fill lanes that nobody owns.
LANES_IN_FORCE = """
redis.call('SET', KEYS[1], ARGV[1], 'NX')
return tonumber(redis.call('GET', KEYS[1]))
"""

#: Put another count in force unless a lane holds something; the number of such a lane, else -1.
_RECOUNT = """
local most = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), tonumber(redis.call('GET', KEYS[2]) or 0))
for n = 0, most - 1 do
  if redis.call('XLEN', 'events:' .. n) > 0 then return n end
end
redis.call('MSET', KEYS[1], ARGV[1], KEYS[2], most)
return -1
"""

#: XRANGE from the head, by hundreds until there are enough entries or bytes, as one MessagePack reply: redis-py's own
#: parser would take longer than all else together. Always at least one entry, however large.
_HEAD = """
if not string.find(redis.call('INFO', 'replication'), 'role:master', 1, true) then
  return redis.error_reply('READONLY a replica is read by nobody')
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
#: Entries of others are read this many at a time, by redis-py itself.
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
        """The value of that field; empty when somebody else's entry lacks it."""
        for i in range(0, len(self.fields) - 1, 2):
            if self.fields[i] == name:
                return self.fields[i + 1]
        return ""

    @property
    def accepted_at(self) -> float:
        """When the queue took it, in UTC seconds."""
        return int(self.id.partition("-")[0]) / 1000


_decode_entries = msgspec.msgpack.Decoder(list[Entry]).decode


def key(lane: int) -> str:
    """The stream of a lane."""
    return f"events:{lane}"


def lane_of(organization_id: str | None, event_id: str, lanes: int) -> int:
    """An organization's events share a lane, so that their order holds; an event without one goes by its id."""
    return zlib.crc32((event_id if organization_id is None else organization_id).encode()) % lanes


def connect(url: str, timeout_s: float) -> Redis:
    """A client that never repeats a command by itself: redis-py would, ten times, and enqueue twice.

    What it would repeat a command for closes the connection: so it leaves a demoted primary.
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
    """How many lanes there are: the stored count, or the wanted one where there is none."""
    lanes = int(await redis.eval(LANES_IN_FORCE, 1, LANES, str(wanted)))
    tell_unlike(lanes, wanted)
    return lanes


def tell_unlike(lanes: int, wanted: int) -> None:
    """Log that this process goes by another count than its own settings'."""
    if lanes != wanted:
        log.warning("another lane count is in force; the command `lanes` changes it", lanes=lanes, wanted=wanted)


async def recount(redis: Redis, lanes: int) -> int | None:
    """Put that count in force, for when nothing runs; the number of a lane that still holds something, else None."""
    held = int(await redis.eval(_RECOUNT, 2, LANES, MOST_LANES, str(lanes)))
    return None if held < 0 else held


async def head(redis: Redis, lane: int, count: int, size: int) -> list[Entry]:
    """The first entries of a lane, oldest first, at most so many and of so many bytes; they stay where they are."""
    packed: Any = await redis.eval(_HEAD, 1, key(lane), str(count), str(size))
    try:
        return _decode_entries(packed)
    except (msgspec.MsgspecError, UnicodeDecodeError):  # somebody else's entry is no text
        return [Entry.from_redis(*found) for found in cast(Any, await redis.xrange(key(lane), count=_FOREIGN))]


async def wait(redis: Redis, lane: int, seconds: float) -> None:
    """Return when the lane holds something, or when the time is up."""
    await redis.xread({key(lane): "0"}, count=1, block=max(1, int(seconds * 1000)))


async def remove(redis: Redis, lane: int, entries: list[Entry]) -> None:
    """Delete what the store has committed: entries from the head, and so all up to the last of them.

    One id instead of a thousand: the server parses and logs as little. What comes later has a higher one.
    """
    ms, _, count = entries[-1].id.partition("-")
    await redis.xtrim(key(lane), minid=f"{ms}-{int(count) + 1}", approximate=False)


async def depths(redis: Redis, wanted: int) -> list[int]:
    """How many accepted events each lane holds; `wanted` lanes, unless another count is or was in force."""
    lanes, most = await redis.mget(LANES, MOST_LANES)
    async with redis.pipeline(transaction=False) as pipe:
        for lane in range(max(int(lanes or wanted), int(most or 0))):
            pipe.xlen(key(lane))
        return list(map(int, await pipe.execute()))


async def require_primary(redis: Redis) -> None:
    """Raise ReadOnlyError at a replica, after leaving it."""
    if (await redis.info("replication")).get("role") != "master":
        await leave(redis)
        raise ReadOnlyError("a replica")


async def leave(redis: Redis) -> None:
    """The server was demoted: close every connection of this client, since the address may lead to another by now."""
    log.warning("the queue's server is a replica: connecting anew")
    await redis.connection_pool.disconnect(inuse_connections=True)


async def may_evict(redis: Redis) -> bool:
    """Whether the server may drop events when its memory is full."""
    memory: dict[str, Any] = await redis.info("memory")
    return policy_may_evict(str(memory.get("maxmemory_policy", "")))


def policy_may_evict(policy: str) -> bool:
    """Whether that maxmemory-policy could lose events: any but noeviction."""
    return policy != "noeviction"
