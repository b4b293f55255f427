"""The archive of dead letters: one file a letter, wherever fsspec can write.

A letter is written first and marked after; whoever is killed in between writes the same file again.
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

#: Letters read at once.
PAGE = 100
#: Longest that one letter may take to write, in seconds.
WRITE_S = 5.0

_DUE = "where archived_at is null and first_failed_at < %s order by first_failed_at limit %s"
_MARK = "update audit_dead_letter set archived_at = now() where id = %s"


async def archive(connection: Connection, url: str, before: datetime) -> int:
    """Archive the letters that failed first before then; how many. Raises ArchiveError or psycopg.Error."""
    archived = 0
    while letters := await repository.select(connection, _DUE, [before, PAGE]):
        for letter in letters:
            await _written(url, letter)
            await connection.execute(_MARK, [letter.id])
            metrics.ARCHIVED.inc()
            archived += 1
    return archived


async def _written(url: str, letter: StoredDeadLetter) -> None:
    """Write in a thread that nobody waits for longer: one that hangs is left behind. Raises ArchiveError."""
    future: Future[None] = Future()
    future.set_running_or_notify_cancel()  # it cannot be called off

    def run() -> None:
        try:
            write(url, letter)
            future.set_result(None)
        except ArchiveError as e:
            future.set_exception(e)

    threading.Thread(target=run, daemon=True).start()
    try:
        await asyncio.wait_for(asyncio.wrap_future(future), WRITE_S)
    except TimeoutError:
        raise ArchiveError(f"the archive did not take a dead letter within {WRITE_S:g} s") from None


def write(url: str, letter: StoredDeadLetter) -> None:
    """Write one letter below this address, in the folder of its month. Raises ArchiveError."""
    import fsspec  # loads only where something is archived

    try:
        files, root = fsspec.url_to_fs(url)
        folder = f"{root}/{letter.first_failed_at:%Y-%m}"
        files.makedirs(folder, exist_ok=True)
        files.pipe_file(f"{folder}/{letter.event_id}.json", msgspec.json.encode(letter))
    except Exception as e:  # each kind of storage raises its own; their words may quote what they were given
        raise ArchiveError(f"the archive did not take a dead letter ({type(e).__name__})") from None
