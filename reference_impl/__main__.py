"""python -m reference_impl COMMAND: the reference's processes and tools, configured from the environment."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import psycopg
from starlette.routing import Router

from reference_impl import log
from reference_impl.delivery.worker import Worker
from reference_impl.errors import SettingsError
from reference_impl.ingest import app as ingest
from reference_impl.ingest import server
from reference_impl.operations import dead_letter_api, dead_letter_commands, integrity, retention
from reference_impl.queue import resize_lanes
from reference_impl.resilience.error_classes import to_store_error
from reference_impl.settings import Settings
from reference_impl.store import connections
from reference_impl.store.migrate import migrate

#: Exit code for a setting or a database that cannot be used.
UNUSABLE = 78


async def work(settings: Settings) -> None:
    """The process `work`."""
    listening = server.bind(settings.http_host, settings.http_port)
    await connections.require_sessions(settings)
    worker = Worker(settings)
    told = [*server.telling(worker.monitor), server.transitions(worker.transitions)]
    app = Router(told + dead_letter_api.routes(worker.admin, settings))
    worker.start()
    guarded = server.guarded(app, settings)
    await server.serve(guarded, listening, worker.stopping, settings.request_timeout_s)
    await worker.stop()


class Command(NamedTuple):
    """What runs, the settings it cannot do without, and what --help says."""

    run: Callable[..., Awaitable[int | None]]
    needs: list[str]
    what: str
    arguments: Callable[[argparse.ArgumentParser], None] | None = None


COMMANDS = {
    "migrate": Command(migrate, ["database_url"], "bring the database to the newest schema; idempotent"),
    "ingest": Command(ingest.run, ["redis_url"], "take events over HTTP into the queue"),
    "work": Command(work, ["database_url", "redis_url"], "deliver from the queue to the database"),
    "dead-letters": Command(
        dead_letter_commands.run,
        ["database_url"],
        "list, show, replay or drop dead letters",
        dead_letter_commands.arguments,
    ),
    "lanes": Command(
        resize_lanes.run, ["redis_url"], "tell the lane count; change it while nothing runs", resize_lanes.arguments
    ),
    "retention": Command(retention.run, ["database_url"], "make months ahead, drop those that no policy holds"),
    "verify": Command(integrity.run, ["database_url"], "hash anew all that is stored; exit 1 if an event was changed"),
}


def main() -> int:
    """Run one command; returns the exit code."""
    parser = argparse.ArgumentParser("python -m reference_impl", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        described = f"{command.what}. Settings: see reference_impl/settings.py"
        subparser = commands.add_parser(name, help=command.what, description=described)
        if command.arguments:
            command.arguments(subparser)
    given = parser.parse_args()
    command = COMMANDS[given.command]
    try:
        settings = Settings.read()
        settings.require(*command.needs)
        log.configure(settings.process)
        return asyncio.run(_run(command, settings, given)) or 0
    except SettingsError as e:
        print(e, file=sys.stderr)
        return UNUSABLE
    except psycopg.Error as e:
        print(f"the database did not take it: {to_store_error(e)}", file=sys.stderr)
        return 1
    except Exception as e:  # not Python's own traceback: its last line may quote an event
        log.unexpected("ended by a defect", e)
        return 1


async def _run(command: Command, settings: Settings, given: argparse.Namespace) -> int | None:
    asyncio.get_running_loop().set_exception_handler(log.asyncio_exception_handler)
    return await (command.run(settings, given) if command.arguments else command.run(settings))


if __name__ == "__main__":
    sys.exit(main())
