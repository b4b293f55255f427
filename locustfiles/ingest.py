"""Load for any processor of the contract: `locust -f locustfiles/ingest.py --host http://127.0.0.1:8080`.

Open-loop: events are sent at their intended times whatever the target answers; users are the most requests in flight.
"""

from __future__ import annotations

import os
import sys
import time
from queue import SimpleQueue
from typing import Any

import gevent
from locust import User, events, task
from locust.exception import StopUser
from locust.runners import LocalRunner

from shaketable.connection import Connection
from shaketable.errors import InputError, ShaketableError
from shaketable.load_options import Options, add_options, player
from shaketable.player import Inbox, Player, Ticket, UnexpectedAnswer, complaint

hooks: Any = events


class Stage:
    """What the users of one test share."""

    options: Options
    player: Player
    users = gone = 0


def add_arguments(parser: Any, **_: Any) -> None:
    """Offer the load's options beside Locust's."""
    add_options(parser)


def check_arguments(environment: Any, runner: Any, **_: Any) -> None:
    """Complain before anything starts, with the exit code of bad input; draw the shapes before any time counts."""
    try:
        options = Options.of(environment.parsed_options)
        if not isinstance(runner, LocalRunner):
            raise InputError("expected one process, got --master, --worker or --processes: leave them out")
        if environment.web_ui is None and not environment.host:
            raise InputError("expected the target's address, got none: give --host http://127.0.0.1:8080 or so")
    except InputError as e:
        print(f"locust: {e}", file=sys.stderr)
        sys.exit(e.exit_code)
    if not options.run_dir:
        options.corpus()


def open_stage(environment: Any, **_: Any) -> None:
    """Draw or read the schedule."""
    Stage.options = Options.of(environment.parsed_options)
    Stage.player, Stage.users, Stage.gone = player(Stage.options), 0, 0
    if not Stage.options.run_dir:
        print(f"seed {Stage.options.seed}", flush=True)


def stop_playing(**_: Any) -> None:
    """Hand nothing out any more; requests in flight have the stop time-out to be answered."""
    Stage.player.stop()


def close_stage(environment: Any, **_: Any) -> None:
    """Say what became of it all."""
    Stage.player.finish()
    print(Stage.player.tally.sentence(), flush=True)
    if Stage.options.run_dir:
        environment.process_exit_code = 0  # the harness judges by the journal


def die(_: gevent.Greenlet) -> None:
    """The pacer failed, and said why: without it nothing can be judged, so nothing more is written."""
    os._exit(ShaketableError.exit_code)


class Client(User):
    """Sends what the player hands out, one request at a time."""

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.connection = Connection(str(self.host), Stage.options.request_timeout_s)
        self.inbox: Inbox = SimpleQueue()
        self.since_intended = environment.stats.get("/events since intended", "POST")

    def on_start(self) -> None:
        """Count in; the last of all starts the play."""
        Stage.users += 1
        if Stage.users == self.environment.runner.target_user_count:
            gevent.spawn(Stage.player.play, Stage.users).link_exception(die)

    @task
    def play(self) -> None:
        """One endless task: what a task costs is paid once, not for each request."""
        while ticket := Stage.player.take(self.inbox):
            try:
                self.send(ticket)
            except OSError as e:  # not the target's doing: the journal's disk
                print(f"the journal cannot be written: {e}", file=sys.stderr, flush=True)
                os._exit(ShaketableError.exit_code)
        Stage.gone += 1
        if Stage.gone == Stage.users and Stage.options.run_dir:
            gevent.spawn(self.environment.runner.quit)
        raise StopUser

    def send(self, ticket: Ticket) -> None:
        """One attempt: its intent first, then the request, then its outcome."""
        body = Stage.player.begin(ticket)
        status, error, length = self.connection.post(Stage.options.path, body)
        answer = Stage.player.end(ticket, status, type(error).__name__ if error else "")
        if not error and (why := complaint(ticket.planned, answer, status)):
            error = UnexpectedAnswer(why)
        if ticket.latency_ms is not None:
            self.since_intended.log(ticket.latency_ms, 0)
        hooks.request.fire(
            request_type="POST",
            name="/events",
            url=Stage.options.path,
            start_time=time.time() - ticket.took_ms / 1000,
            response_time=ticket.took_ms,
            response_length=length,
            exception=error,
            context={"event_id": ticket.planned.event_id},
        )


hooks.init_command_line_parser.add_listener(add_arguments)
hooks.init.add_listener(check_arguments)
hooks.test_start.add_listener(open_stage)
hooks.test_stopping.add_listener(stop_playing)
hooks.test_stop.add_listener(close_stage)
