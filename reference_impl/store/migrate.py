"""Migrations: each file of migrations/ once, in the order of their names. Idempotent; two at once do it once."""

from datetime import UTC, datetime
from pathlib import Path

from reference_impl import log
from reference_impl.settings import Settings
from reference_impl.store import partitions
from reference_impl.store.connections import connect_without_timeouts, fetch_all

FOLDER = Path(__file__).parent / "migrations"
#: Advisory lock under which migrations run: (class, object).
LOCK = (0x61756469, 0)
_COLUMNS = "name text primary key, applied_at timestamptz not null default now()"


async def migrate(settings: Settings) -> None:
    """Bring the database to the newest schema, with its partitions made ahead. Raises psycopg.Error."""
    async with await connect_without_timeouts(settings) as connection:
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock(%s, %s)", LOCK)
            await connection.execute(f"create table if not exists audit_migration ({_COLUMNS})")
            applied = {name for (name,) in await fetch_all(connection, "select name from audit_migration")}
            for file in sorted(FOLDER.glob("*.sql")):
                if file.name not in applied:
                    await connection.execute(file.read_bytes())
                    await connection.execute("insert into audit_migration (name) values (%s)", [file.name])
                    log.info("migration applied", migration=file.name)
        await partitions.ensure(connection, partitions.ahead(datetime.now(UTC).date()))
