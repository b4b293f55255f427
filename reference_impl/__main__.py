"""python -m reference_impl COMMAND: the processes and tools of the reference, configured from the environment."""

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
from reference_impl.operations import dead_letter_operations as dead_letters
from reference_impl.operations import integrity
from reference_impl.queue import resize_lanes
from reference_impl.resilience.error_classes import to_store_error
from reference_impl.settings import Settings
from reference_impl.store import connections, partitions
from reference_impl.store.migrate import migrate

#: Exit code for a setting or a database that cannot be used.
UNUSABLE = 78
DATABASE, QUEUE = "database_url", "redis_url"


async def work(settings: Settings) -> None:
    """The process `work`."""
    listening = server.bind(settings.http_host, settings.http_port)
    await connections.require_sessions(settings)
    worker = Worker(settings)
    routes = server.observability_routes(worker.monitor, worker.transitions)
    app = server.with_error_handling(Router(routes + dead_letters.routes(worker.admin)), settings)
    worker.start()
    await server.serve(app, listening, worker.stopping, settings.request_timeout_s)
    await worker.stop()


class Command(NamedTuple):
    """One command. With `arguments`, `run` also receives the parsed values."""

    run: Callable[..., Awaitable[int | None]]
    needs: list[str]
    help: str
    arguments: Callable[[argparse.ArgumentParser], None] | None = None


COMMANDS = {
    "migrate": Command(migrate, [DATABASE], "migrate the database to the newest schema; idempotent"),
    "ingest": Command(ingest.run, [QUEUE], "accept events over HTTP into the queue"),
    "work": Command(work, [DATABASE, QUEUE], "deliver events from the queue to the database"),
    "dead-letters": Command(dead_letters.run, [DATABASE], "list, show, replay or drop them", dead_letters.arguments),
    "lanes": Command(resize_lanes.run, [QUEUE], "print or change the number of lanes", resize_lanes.arguments),
    "retention": Command(partitions.run, [DATABASE], "create months ahead, drop months that no policy covers"),
    "verify": Command(integrity.run, [DATABASE], "recompute all stored hashes; exit 1 if an event was changed"),
}


def main() -> int:
    """Run one command. Returns the exit code."""
    parser = argparse.ArgumentParser("python -m reference_impl", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        description = f"{command.help}. Settings: see reference_impl/settings.py"
        subparser = commands.add_parser(name, help=command.help, description=description)
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
    except Exception as e:  # Python's own traceback may quote an event in its last line
        log.unexpected("ended by a defect", e)
    return 1


async def _run(command: Command, settings: Settings, given: argparse.Namespace) -> int | None:
    asyncio.get_running_loop().set_exception_handler(log.asyncio_exception_handler)
    return await (command.run(settings, given) if command.arguments else command.run(settings))


if __name__ == "__main__":
    sys.exit(main())
