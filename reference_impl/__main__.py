"""python -m reference_impl migrate | ingest | work: the reference's processes, configured from the environment."""

from __future__ import annotations

import argparse
import asyncio
import sys

import psycopg
from starlette.applications import Starlette

from reference_impl import ingest, log, retention, server
from reference_impl.errors import SettingsError
from reference_impl.migrate import migrate
from reference_impl.settings import Settings
from reference_impl.sqlstate import told
from reference_impl.worker import Worker

#: Exit code for a setting or a database that cannot be used.
UNUSABLE = 78


async def work(settings: Settings) -> None:
    """The process `work`."""
    listening = server.bind(settings.http_port)
    worker = Worker(settings)
    app = Starlette(routes=[*server.telling(worker.watch), server.transitions(worker.transitions)])
    worker.start()
    await server.serve(server.guarded(app, settings.bearer_token), listening, worker.stopping)
    await worker.stop()


COMMANDS = {
    "migrate": (migrate, ["database_url"], "bring the database to the newest schema; idempotent"),
    "ingest": (ingest.run, ["redis_url"], "take events over HTTP into the queue"),
    "retention": (retention.run, ["database_url"], "make months ahead, drop those that no retention policy holds"),
    "work": (work, ["database_url", "redis_url"], "deliver from the queue to the database"),
}


def main() -> int:
    """Run one command; returns the exit code."""
    parser = argparse.ArgumentParser("python -m reference_impl", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (_, _, what) in COMMANDS.items():
        commands.add_parser(name, help=what, description=f"{what}. Settings: see reference_impl/settings.py")
    run, needs, _ = COMMANDS[parser.parse_args().command]
    try:
        settings = Settings.read()
        settings.require(*needs)
        log.configure(settings.process)
        return asyncio.run(run(settings)) or 0
    except SettingsError as e:
        print(e, file=sys.stderr)
        return UNUSABLE
    except psycopg.Error as e:
        print(f"the database did not take it: {told(e)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
