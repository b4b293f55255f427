"""Maintenance: every five minutes, create partitions ahead, archive, purge and count dead letters.

The archive has one file for each dead letter, wherever fsspec can write. A file is written before its dead letter is
marked. After a kill in between, the same file is written again.
"""

import asyncio
import threading
from concurrent.futures import Future
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from reference_impl import log
from reference_impl.dead_letters import repository
from reference_impl.errors import BreakerOpenError, StoreError
from reference_impl.operations import metrics
from reference_impl.resilience.background import Sleep
from reference_impl.settings import Settings
from reference_impl.store import partitions
from reference_impl.store.connections import Connection, ConnectionGate, fetch_all, fetch_value

#: Folder of the archive within STATE_DIR, unless DEAD_LETTER_ARCHIVE_URL is set.
FOLDER = "dead_letters"
#: Longest that one run may take, in seconds; the next run continues.
BOUND_S = 60.0
#: Dead letters read at once.
PAGE = 100
#: Most causes that are counted, the commonest first.
CAUSES = 10
#: Longest that one file may take to write, in seconds.
WRITE_S = 5.0

_DUE = "where archived_at is null and first_failed_at < %s order by first_failed_at limit %s"
_MARK = "update audit_dead_letter set archived_at = now() where id = %s"


async def run(settings: Settings, admin: ConnectionGate, sleep: Sleep) -> None:
    """Run again and again, until the sleep raises ShuttingDown. Several workers may run theirs at once."""
    while True:
        try:
            async with admin.connection(BOUND_S) as connection:
                await run_once(connection, settings, await fetch_value(connection, "select now()"))
        except (StoreError, BreakerOpenError) as e:
            log.warning("maintenance is postponed", why=str(e))
        await sleep(settings.upkeep_interval_s)


async def run_once(connection: Connection, settings: Settings, now: datetime) -> tuple[int, int]:
    """Run once; how many dead letters were archived and purged. Raises psycopg.Error; earlier steps are committed."""
    await partitions.ensure(connection, partitions.ahead(now.date()))
    url = settings.dead_letter_archive_url or str(Path(settings.state_dir).resolve() / FOLDER)
    archived = await archive(connection, url, now - timedelta(days=settings.dead_letter_archive_days))
    purged = await repository.purge(connection, now - timedelta(days=settings.dead_letter_retention_days))
    await count(connection, now)
    return archived, purged


async def count(connection: Connection, now: datetime) -> None:
    """Set the gauges of dead letters."""
    ((*numbers, reasons),) = await fetch_all(connection, repository.SUMMARY, now, CAUSES)
    gauges = metrics.DEAD_LETTERS, metrics.DEAD_TODAY, metrics.DEAD_OLDEST, metrics.DEAD_NEWEST
    for gauge, number in zip(gauges, numbers, strict=True):
        gauge.set(number)
    metrics.DEAD_REASONS.clear()
    for cause, number in reasons.items():
        metrics.DEAD_REASONS.labels(cause).set(number)


async def archive(connection: Connection, url: str, before: datetime) -> int:
    """Archive dead letters whose first failure is older; how many. Raises psycopg.Error.

    Where the archive takes none, they stay, even past their retention.
    """
    archived = 0
    while letters := await repository.select(connection, _DUE, before, PAGE):
        for letter in letters:
            if not await _written(url, letter):
                return archived
            await connection.execute(_MARK, [letter.id])
            metrics.ARCHIVED.inc()
            archived += 1
    return archived


async def _written(url: str, letter: repository.StoredDeadLetter) -> bool:
    """Write in a daemon thread, and abandon a thread that hangs. Returns whether it is written."""
    future: Future[None] = Future()
    future.set_running_or_notify_cancel()  # so that it cannot be cancelled while the thread runs
    threading.Thread(target=_write, args=(url, letter, future), daemon=True).start()
    try:
        await asyncio.wait_for(asyncio.wrap_future(future), WRITE_S)
        return True
    except Exception as e:  # each kind of storage raises its own; the message may quote the dead letter
        log.warning("the archive did not take a dead letter", type=type(e).__name__)
        return False


def _write(url: str, letter: repository.StoredDeadLetter, future: Future[None]) -> None:
    """Write below this address, in a folder for the month."""
    try:
        import fsspec  # not at the top: only processes that archive load it

        files, root = fsspec.url_to_fs(url)
        folder = f"{root}/{letter.first_failed_at:%Y-%m}"
        files.makedirs(folder, exist_ok=True)
        future.set_result(files.pipe_file(f"{folder}/{letter.event_id}.json", msgspec.json.encode(letter)))
    except Exception as e:
        future.set_exception(e)
