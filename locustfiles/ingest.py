"""Load for any processor of the contract: `locust -f locustfiles/ingest.py --host http://127.0.0.1:8080`.

Open-loop: events are sent at their intended times whatever the target answers; users are the most requests in flight.
"""

from __future__ import annotations

import sys
from typing import Any

import gevent
from locust import FastHttpUser, events, task
from locust.contrib.fasthttp import LocustBadStatusCode
from locust.exception import StopUser
from locust.runners import LocalRunner

from shaketable.errors import InputError
from shaketable.load_options import Options, add_options, player
from shaketable.player import Player, Ticket, expected


class Stage:
    """What the users of one test share."""

    options: Options
    player: Player
    users = gone = 0


def refuse(why: object) -> None:
    """End Locust with the exit code of bad input."""
    print(f"locust: {why}", file=sys.stderr)
    sys.exit(254)


@events.init_command_line_parser.add_listener
def add_arguments(parser: Any, **_: Any) -> None:
    """Offer the load's options beside Locust's."""
    add_options(parser)


@events.init.add_listener
def check_arguments(environment: Any, runner: Any, **_: Any) -> None:
    """Complain before anything starts."""
    if not isinstance(runner, LocalRunner):
        refuse("expected one process, got --master, --worker or --processes: leave them out (one core plays 3,000/s)")
    try:
        Options.of(environment.parsed_options)
    except InputError as e:
        refuse(e)


@events.test_start.add_listener
def open_stage(environment: Any, **_: Any) -> None:
    """Draw or read the schedule."""
    Stage.options = Options.of(environment.parsed_options)
    Stage.player, Stage.users, Stage.gone = player(Stage.options), 0, 0
    if not Stage.options.run_dir:
        print(f"seed {Stage.options.seed}", flush=True)


@events.test_stopping.add_listener
def stop_playing(**_: Any) -> None:
    """Hand nothing out any more; requests in flight have the stop time-out to be answered."""
    Stage.player.stop()


@events.test_stop.add_listener
def close_stage(environment: Any, **_: Any) -> None:
    """Say what became of it all."""
    Stage.player.finish()
    print(Stage.player.tally.sentence(), flush=True)
    if Stage.options.run_dir:
        environment.process_exit_code = 0  # the harness judges by the journal


class Client(FastHttpUser):
    """Sends what the player hands out, one request at a time."""

    concurrency = 1

    def __init__(self, environment: Any) -> None:
        self.network_timeout = self.connection_timeout = Stage.options.request_timeout_s
        super().__init__(environment)
        self.client.client.redirect_response_codes = frozenset()  # a redirect is no acknowledgement
        self.since_intended = environment.stats.get("/events since intended", "POST")

    def on_start(self) -> None:
        """Count in; the last of all starts the play."""
        Stage.users += 1
        if Stage.users == self.environment.runner.target_user_count:
            gevent.spawn(Stage.player.play, Stage.users)

    @task
    def play(self) -> None:
        """One endless task: what a task costs is paid once, not for each request."""
        while ticket := Stage.player.take():
            self.send(ticket)
        Stage.gone += 1
        if Stage.gone == Stage.users:
            gevent.spawn(self.environment.runner.quit)
        raise StopUser

    def send(self, ticket: Ticket) -> None:
        """One attempt: its intent first, then the request, then its outcome."""
        stage, body = Stage, Stage.player.begin(ticket)
        # The network's time-out is for each read; a target that answers drop by drop must not keep a user for ever.
        with gevent.Timeout(2 * stage.options.request_timeout_s), self.post(body, ticket.planned.event_id) as response:
            error = response.request_meta["exception"]
            name = "" if error is None or isinstance(error, LocustBadStatusCode) else error_name(error)
            answer = stage.player.end(ticket, response.status_code or None, name)
            if expected(ticket.planned, answer, response.status_code):
                response.success()
            elif not error:
                response.failure(f"{response.status_code} for an event that is to be {ticket.planned.expect}d")
        if ticket.latency_ms is not None:
            self.since_intended.log(ticket.latency_ms, 0)

    def post(self, body: bytes, event_id: str) -> Any:
        """The request itself."""
        return self.client.post(
            Stage.options.path,
            data=body,
            name="/events",
            catch_response=True,
            headers={"Content-Type": "application/json"},
            context={"event_id": event_id},
        )


def error_name(error: BaseException) -> str:
    """The class of what went wrong, out of the wrapping that the HTTP client puts around a time-out."""
    return type(getattr(error, "original", None) or error).__name__
