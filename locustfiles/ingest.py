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
from locust.argument_parser import get_parser
from locust.exception import StopUser
from locust.runners import LocalRunner

from shaketable.errors import InputError, ShaketableError
from shaketable.load import headers
from shaketable.load.dispatcher import Assignment, Dispatcher, Inbox, UnexpectedAnswer, contract_violation
from shaketable.load.http import Connection
from shaketable.load.options import LoadOptions, add_options, check_host, dispatcher

hooks: Any = events
#: Seconds after which a load of its own ends that has not found anybody who listens.
NOBODY_S = 10.0


class LoadSession:
    """What the users of one test share."""

    environment: Any
    options: LoadOptions
    dispatcher: Dispatcher
    playing = False


def add_arguments(parser: Any, **_: Any) -> None:
    """Offer the load's options beside Locust's."""
    add_options(parser)


def check_arguments(environment: Any, runner: Any, **_: Any) -> None:
    """Complain before anything starts, with the exit code of bad input; draw the shapes before any time counts."""
    asked = environment.parsed_options
    try:
        options = LoadOptions.of(asked)
        if not isinstance(runner, LocalRunner):
            raise InputError("expected one process, got --master, --worker or --processes: leave them out")
        if environment.web_ui is None and not environment.host:
            raise InputError("expected the target's address, got none: give --host http://127.0.0.1:8080 or so")
        if environment.web_ui is None and asked.num_users < 1:
            raise InputError(f"expected at least 1 user, got {asked.num_users}: they are the most requests in flight")
        if environment.host:
            check_host(environment.host)
    except InputError as e:
        print(f"locust: {e}", file=sys.stderr)
        sys.exit(e.exit_code)
    if not options.run_dir:
        options.corpus()
        gevent.get_hub().loop.update_now()  # or -t would count from before the drawing: timers take the loop's old time


def open_session(environment: Any, **_: Any) -> None:
    """Draw or read the schedule."""
    LoadSession.environment, LoadSession.options = environment, LoadOptions.of(environment.parsed_options)
    LoadSession.dispatcher, LoadSession.playing = dispatcher(LoadSession.options), False
    if not LoadSession.options.run_dir:
        print(f"seed {LoadSession.options.seed}", flush=True)
    try:
        check_host(environment.host or "")  # the web page may name another
    except InputError as e:
        give_up(environment, str(e))


def begin(user_count: int, **_: Any) -> None:
    """All users are there: the play begins. Users that come or go later change nothing about it."""
    if user_count and not LoadSession.playing and not LoadSession.dispatcher.ended:
        LoadSession.playing = True
        gevent.spawn(play_whole, user_count).link_exception(die)


def play_whole(users: int) -> None:
    """Pace the whole schedule, then end."""
    playing, run_dir = LoadSession.dispatcher, LoadSession.options.run_dir
    watch = None if run_dir else gevent.spawn_later(NOBODY_S, end_if_nobody_listens, playing)
    playing.play(users)
    if watch:
        watch.kill(block=False)
    if LoadSession.dispatcher.broken and not LoadSession.options.run_dir:
        give_up(LoadSession.environment, LoadSession.dispatcher.broken)
    elif LoadSession.options.run_dir:
        LoadSession.environment.runner.quit()


def end_if_nobody_listens(playing: Dispatcher) -> None:
    """A person who mistyped a port need not wait; under the harness the target may be down on purpose."""
    if playing is LoadSession.dispatcher and playing.nobody_listens:
        environment = LoadSession.environment
        give_up(environment, f"nobody listened at {environment.host} for {NOBODY_S:g} s: is the target running there?")


def give_up(environment: Any, why: str) -> None:
    """End the test with a sentence; without a web page that is the end of Locust too, with the exit code of input."""
    print(f"locust: {why}", file=sys.stderr, flush=True)
    environment.process_exit_code = InputError.exit_code
    gevent.spawn(environment.runner.stop if environment.web_ui else environment.runner.quit)


def stop_playing(**_: Any) -> None:
    """Hand nothing out any more; requests in flight have the stop time-out to be answered."""
    LoadSession.dispatcher.stop()


def close_session(environment: Any, **_: Any) -> None:
    """Say what became of it all."""
    LoadSession.dispatcher.finish()
    print(LoadSession.dispatcher.stats.sentence(), flush=True)
    if LoadSession.options.run_dir:
        environment.process_exit_code = 0  # the harness judges by the journal
    elif not LoadSession.dispatcher.stats.attempts and environment.process_exit_code is None:
        print(
            "locust: nothing was sent: the test ended before all users were there, so give it more time (-t), fewer "
            "users (-u) or a faster start (-r)",
            file=sys.stderr,
            flush=True,
        )
        environment.process_exit_code = InputError.exit_code


def die(_: gevent.Greenlet) -> None:
    """The pacer failed, and said why: without it nothing can be judged, so nothing more is written."""
    os._exit(ShaketableError.exit_code)


class Client(User):
    """Sends what the player hands out, one request at a time."""

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        options = LoadSession.options
        self.connection = Connection(
            str(self.host), options.request_timeout_s, headers.given(os.environ), options.method
        )
        self.inbox: Inbox = SimpleQueue()
        self.leaving = False
        self.since_intended = environment.stats.get("/events since intended", "POST")

    def on_start(self) -> None:
        """The last of all starts the play; Locust itself says that they are complete only a second later."""
        if self.environment.runner.user_count == self.environment.runner.target_user_count:
            begin(self.environment.runner.user_count)

    @task
    def play(self) -> None:
        """One endless task: what a task costs is paid once, not for each request."""
        try:
            while not self.leaving and (assignment := LoadSession.dispatcher.take(self.inbox)):
                self.send(assignment)
        finally:  # killed, perhaps: what it has not taken goes to another user
            LoadSession.dispatcher.leave(self.inbox)
        raise StopUser

    def stop(self, force: bool = False) -> bool:
        """Locust wants fewer users: this one ends after its request, at once if it has none."""
        self.leaving = True
        stopped = bool(super().stop(force))
        if not stopped:
            LoadSession.dispatcher.leave(self.inbox)
            self.inbox.put(None)
        return stopped

    def send(self, assignment: Assignment) -> None:
        """One attempt: its intent first, then the request, then its outcome."""
        try:
            body = LoadSession.dispatcher.begin(assignment)
            try:
                status, error, length, advised_s = self.connection.send(LoadSession.options.path, body)
            except BaseException as e:  # killed in the middle: nobody knows, so that another user tries again
                LoadSession.dispatcher.end(assignment, None, type(e).__name__)
                raise
            answer = LoadSession.dispatcher.end(assignment, status, type(error).__name__ if error else "", advised_s)
        except OSError as e:  # not the target's doing: the journal's disk
            print(f"the journal cannot be written: {e}", file=sys.stderr, flush=True)
            os._exit(ShaketableError.exit_code)
        if not error and (why := contract_violation(assignment.planned, answer, status)):
            error = UnexpectedAnswer(why)
        if assignment.latency_ms is not None:
            self.since_intended.log(assignment.latency_ms, 0)
        hooks.request.fire(
            request_type=LoadSession.options.method,
            name="/events",
            url=LoadSession.options.path,
            start_time=time.time() - assignment.took_ms / 1000,
            response_time=assignment.took_ms,
            response_length=length,
            exception=error,
            context={"event_id": assignment.planned.event_id},
        )


hooks.init_command_line_parser.add_listener(add_arguments)
hooks.init.add_listener(check_arguments)
hooks.test_start.add_listener(open_session)
hooks.spawning_complete.add_listener(begin)
hooks.test_stopping.add_listener(stop_playing)
hooks.test_stop.add_listener(close_session)


def main() -> None:
    """Show all options: `locust --help` ends before it reads a locustfile, so it knows Locust's own only."""
    get_parser().print_help()


if __name__ == "__main__":
    main()
