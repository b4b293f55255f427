"""The archive of dead letters: one file each, wherever fsspec can write.

A file is written before its dead letter is marked. After a kill in between, the same file is written again.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from datetime import datetime

import msgspec

from reference_impl.dead_letters import repository
from reference_impl.dead_letters.repository import StoredDeadLetter
from reference_impl.errors import ArchiveError
from reference_impl.operations import metrics
from reference_impl.resilience.watchdog import Connection

#: Dead letters read at once.
PAGE = 100
#: Longest that one file may take to write, in seconds.
WRITE_S = 5.0

_DUE = "where archived_at is null and first_failed_at < %s order by first_failed_at limit %s"
_MARK = "update audit_dead_letter set archived_at = now() where id = %s"


async def archive(connection: Connection, url: str, before: datetime) -> int:
    """Archive dead letters whose first failure is older. Returns how many. Raises ArchiveError or psycopg.Error."""
    archived = 0
    while letters := await repository.select(connection, _DUE, [before, PAGE]):
        for letter in letters:
            await _write_in_time(url, letter)
            await connection.execute(_MARK, [letter.id])
            metrics.ARCHIVED.inc()
            archived += 1
    return archived


async def _write_in_time(url: str, letter: StoredDeadLetter) -> None:
    """Write in a daemon thread, and abandon a thread that hangs. Raises ArchiveError."""
    future: Future[None] = Future()
    future.set_running_or_notify_cancel()  # so that it cannot be cancelled while the thread runs

    def run() -> None:
        try:
            _write(url, letter)
            future.set_result(None)
        except Exception as e:
            future.set_exception(e)

    threading.Thread(target=run, daemon=True).start()
    try:
        await asyncio.wait_for(asyncio.wrap_future(future), WRITE_S)
    except Exception as e:  # each kind of storage raises its own; the message may quote the dead letter
        raise ArchiveError(f"the archive did not take a dead letter ({type(e).__name__})") from None


def _write(url: str, letter: StoredDeadLetter) -> None:
    """Write below this address, in a folder for the month."""
    import fsspec  # not at the top: only processes that archive load it

    files, root = fsspec.url_to_fs(url)
    folder = f"{root}/{letter.first_failed_at:%Y-%m}"
    files.makedirs(folder, exist_ok=True)
    files.pipe_file(f"{folder}/{letter.event_id}.json", msgspec.json.encode(letter))
