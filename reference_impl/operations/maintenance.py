"""Maintenance: every five minutes, create partitions ahead, archive, purge and count dead letters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from reference_impl import log
from reference_impl.dead_letters import repository
from reference_impl.dead_letters.archive import archive
from reference_impl.errors import ArchiveError, BreakerOpenError, StoreError
from reference_impl.operations import metrics
from reference_impl.operations.admin_connections import AdminConnections
from reference_impl.resilience.backoff import Sleep
from reference_impl.resilience.watchdog import Connection
from reference_impl.settings import Settings
from reference_impl.store import partitions

#: Folder of the archive within STATE_DIR, unless DEAD_LETTER_ARCHIVE_URL is set.
FOLDER = "dead_letters"
#: Longest that one run may take, in seconds; the next run continues.
BOUND_S = 60.0


class MaintenanceReport(msgspec.Struct, frozen=True):
    """The result of one run."""

    archived: int
    purged: int
    letters: repository.Summary


class Maintenance:
    """The maintenance of one worker. Several workers may run theirs at once."""

    def __init__(self, settings: Settings, admin: AdminConnections, sleep: Sleep) -> None:
        self._settings, self._admin, self._sleep = settings, admin, sleep

    async def run(self) -> None:
        """Run again and again, until the sleep raises ShuttingDown."""
        while True:
            try:
                async with self._admin.connection(BOUND_S) as connection:
                    metrics.record_dead_letters((await run_once(connection, self._settings, datetime.now(UTC))).letters)
            except (StoreError, BreakerOpenError) as e:
                log.warning("maintenance is postponed", why=str(e))
            await self._sleep(self._settings.upkeep_interval_s)


async def run_once(connection: Connection, settings: Settings, now: datetime) -> MaintenanceReport:
    """Run once. Raises psycopg.Error; the steps before it are committed."""
    await partitions.ensure(connection, partitions.ahead(now.date()))
    url = settings.dead_letter_archive_url or str(Path(settings.state_dir).resolve() / FOLDER)
    archived = 0
    try:
        archived = await archive(connection, url, now - timedelta(days=settings.dead_letter_archive_days))
    except ArchiveError as e:
        log.warning(str(e))  # dead letters without an archive stay, even past their retention
    purged = await repository.purge(connection, now - timedelta(days=settings.dead_letter_retention_days))
    return MaintenanceReport(archived, purged, await repository.summarize(connection, now))
