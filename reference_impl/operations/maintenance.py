"""Maintenance: every five minutes months are made ahead, dead letters archived, deleted past retention, and counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import psycopg

from reference_impl import log
from reference_impl.dead_letters import repository
from reference_impl.dead_letters.archive import archive
from reference_impl.errors import ArchiveError, BreakerOpenError
from reference_impl.operations import metrics
from reference_impl.operations.admin_connections import AdminConnections
from reference_impl.resilience.backoff import Sleep
from reference_impl.resilience.watchdog import Connection
from reference_impl.settings import Settings
from reference_impl.store import partitions

#: Folder of the archive, within STATE_DIR, where no other address is set.
FOLDER = "dead_letters"
#: The longest one turn may take, in seconds; what is left is for the next.
BOUND_S = 60.0


class MaintenanceReport(msgspec.Struct, frozen=True):
    """What one turn did."""

    archived: int
    purged: int
    letters: repository.Summary


class Maintenance:
    """The turns of one worker; several workers at once do no harm."""

    def __init__(self, settings: Settings, admin: AdminConnections, sleep: Sleep) -> None:
        self._settings, self._admin, self._sleep = settings, admin, sleep

    async def run(self) -> None:
        """Turn after turn, until ShuttingDown is raised by the sleep."""
        while True:
            try:
                async with self._admin.connection(BOUND_S) as connection:
                    metrics.record_dead_letters((await run_once(connection, self._settings, datetime.now(UTC))).letters)
            except (psycopg.Error, BreakerOpenError) as e:
                log.warning("upkeep is for another time", type=type(e).__name__)
            await self._sleep(self._settings.upkeep_interval_s)


async def run_once(connection: Connection, settings: Settings, now: datetime) -> MaintenanceReport:
    """One turn. Raises psycopg.Error; what was done until then is done."""
    await partitions.ensure(connection, partitions.ahead(now.date()))
    url = settings.dead_letter_archive_url or str(Path(settings.state_dir).resolve() / FOLDER)
    try:
        archived = await archive(connection, url, now - timedelta(days=settings.dead_letter_archive_days))
    except ArchiveError as e:
        log.warning(str(e))  # its letters stay where they are, also past retention
        archived = 0
    purged = await repository.purge(connection, now - timedelta(days=settings.dead_letter_retention_days))
    return MaintenanceReport(archived, purged, await repository.summarize(connection, now))
