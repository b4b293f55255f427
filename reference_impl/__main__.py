"""The processes and tools of the reference. `reference_impl/settings.py` lists the variables that configure them."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

import psycopg
from redis.asyncio import Redis
from starlette.routing import Router

from reference_impl import log
from reference_impl.delivery.worker import Worker
from reference_impl.errors import SettingsError
from reference_impl.ingest import app as ingest
from reference_impl.ingest import server
from reference_impl.operations import dead_letter_operations as dead_letters
from reference_impl.operations import integrity
from reference_impl.queue import heartbeats, streams
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
    routes = ingest.observability_routes(worker.monitor, worker.transitions)
    app = ingest.with_error_handling(Router(routes + dead_letters.routes(worker.admin)), settings)
    worker.start()
    await server.serve(app, listening, worker.stopping, settings.request_timeout_s)
    await worker.stop()


def lanes_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `lanes`."""
    parser.add_argument("count", type=int, nargs="?", choices=range(1, 1001), metavar="COUNT", help="from now on")


async def lanes(settings: Settings, given: argparse.Namespace) -> int:
    """The command `lanes`: print the lane count, or change it while nothing runs. 1 when that cannot be done.

    A running intake uses the count that it found when it connected. If the count changed meanwhile, it would fill lanes
    that no worker owns, and the events of one organization would be in two lanes.
    """
    async with streams.connect(settings.redis_url, settings.enqueue_timeout_s) as redis:
        try:
            why = await _why_not(redis, given.count) if given.count else None
            lanes = int(await redis.get(streams.LANES) or settings.concurrency)
        except streams.UNAVAILABLE as e:
            why = f"the queue did not take it: {type(e).__name__}"
    print(f"the lane count stays: {why}" if why else lanes, file=sys.stderr if why else sys.stdout)
    return int(why is not None)


async def _why_not(redis: Redis, count: int) -> str | None:
    """Change the count, or return the reason against it."""
    running = [worker.worker for worker in await heartbeats.active_workers(redis)]
    running += ["an intake" for client in await redis.client_list() if client["name"] == streams.INTAKE][:1]
    if running:
        return f"expected nothing to run, found {', '.join(running)}: stop every process of the reference first"
    if (lane := await streams.resize_lanes(redis, count)) is not None:
        return f"expected empty lanes, found events in {streams.key(lane)}: let the workers store them first"
    return None


class Command(NamedTuple):
    """One command. With `arguments`, `run` also receives the parsed values."""

    run: Callable[..., Coroutine[Any, Any, int | None]]
    needs: list[str]
    help: str
    arguments: Callable[[argparse.ArgumentParser], None] | None = None


COMMANDS = {
    "migrate": Command(migrate, [DATABASE], "migrate the database to the newest schema; idempotent"),
    "ingest": Command(ingest.run, [QUEUE], "accept events over HTTP into the queue"),
    "work": Command(work, [DATABASE, QUEUE], "deliver events from the queue to the database"),
    "dead-letters": Command(dead_letters.run, [DATABASE], "list, show, replay or drop them", dead_letters.arguments),
    "lanes": Command(lanes, [QUEUE], "print or change the number of lanes", lanes_arguments),
    "retention": Command(partitions.run, [DATABASE], "create months ahead, drop months that no policy covers"),
    "verify": Command(integrity.run, [DATABASE], "recompute all stored hashes; exit 1 if an event was changed"),
}


def main() -> int:
    """Run one command. Returns the exit code."""
    parser = argparse.ArgumentParser("python -m reference_impl", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        subparser = commands.add_parser(name, help=command.help, description=command.help)
        if command.arguments:
            command.arguments(subparser)
    given = parser.parse_args()
    command = COMMANDS[given.command]
    try:
        settings = Settings.read()
        settings.require(*command.needs)
        log.configure(settings.process)
        with asyncio.Runner() as runner:
            runner.get_loop().set_exception_handler(log.asyncio_exception_handler)
            return runner.run(command.run(settings, *([given] if command.arguments else []))) or 0
    except SettingsError as e:
        print(e, file=sys.stderr)
        return UNUSABLE
    except psycopg.Error as e:
        print(f"the database did not take it: {to_store_error(e)}", file=sys.stderr)
    except Exception as e:  # Python's own traceback may quote an event in its last line
        log.unexpected("ended by a defect", e)
    return 1


if __name__ == "__main__":
    sys.exit(main())
