"""Load for any processor of the contract: `locust -f locustfiles/ingest.py --host http://127.0.0.1:8080`.

Open-loop: events are sent at their intended times whatever the target answers; users are the most requests in flight.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import gevent
from locust import User, events, task
from locust.argument_parser import get_parser
from locust.exception import StopUser

from shaketable import resources
from shaketable.errors import InputError, ShaketableError
from shaketable.load import headers, sender
from shaketable.load.assignment import Assignment, Inbox
from shaketable.load.dispatcher import Dispatcher, UnexpectedAnswer, contract_violation
from shaketable.load.distributed import roles
from shaketable.load.http import Connection
from shaketable.load.options import LoadOptions, add_options, check_host
from shaketable.load.reply import Reply
from shaketable.load.schedule import Planned
from shaketable.load.sender_connection import SenderConnection, watch

hooks: Any = events
#: Seconds after which a load of its own ends that has not found anybody who listens.
NOBODY_S = 10.0


class LoadSession:
    """What the users of one test share."""

    environment: Any
    options: LoadOptions
    dispatcher: Dispatcher
    make_sender: Callable[[], sender.Sender] | None = None
    role = roles.Role()
    playing = False


def add_arguments(parser: Any, **_: Any) -> None:
    """Offer the load's options beside Locust's."""
    add_options(parser)


def options_of(parsed: Any) -> LoadOptions:
    """The options of a load; outside a run, a manifest adds what it describes. Raises InputError."""
    options = LoadOptions.of(parsed)
    if not parsed.target or options.run_dir:
        return options
    from shaketable.target.plain_load import of_target

    return of_target(options, resources.target(Path(parsed.target)), os.environ)


def check_arguments(environment: Any, runner: Any, **_: Any) -> None:
    """Complain before anything starts, with the exit code of bad input; draw the shapes before any time counts."""
    asked = environment.parsed_options
    try:
        options = options_of(asked)
        asks_later = environment.web_ui is not None or asked.worker
        if options.sender:
            os.environ.update(options.variables)
            LoadSession.make_sender = sender.load(options.sender, batch=options.batch is not None)
        elif not asks_later and not environment.host:
            raise InputError("expected the target's address, got none: give --host http://127.0.0.1:8080 or so")
        if not asks_later and asked.num_users < 1:
            raise InputError(f"expected at least 1 user, got {asked.num_users}: they are the most requests in flight")
        if environment.host:
            check_host(environment.host)
        if not options.run_dir and not asked.worker:  # a worker's options are its master's
            options.corpus()
    except InputError as e:
        print(f"locust: {e}", file=sys.stderr)
        sys.exit(e.exit_code)
    LoadSession.environment = environment
    LoadSession.role = roles.of(runner, asked, play=start_playing, ended=all_ended, lost=complain)
    if not options.run_dir:
        gevent.get_hub().loop.update_now()  # or -t would count from before the drawing: timers take the loop's old time


def all_ended(why: str) -> None:
    """Every worker has played its share, or the target cannot be loaded at all."""
    if LoadSession.options.run_dir:
        gevent.spawn(LoadSession.environment.runner.quit)
    elif why:
        give_up(LoadSession.environment, why)


def complain(lost: Sequence[str]) -> None:
    """A lost worker's share is not sent by another: nobody knows how much of it the target has."""
    print(f"locust: lost {', '.join(lost)}: the rest of that share is not sent", file=sys.stderr, flush=True)
    LoadSession.environment.process_exit_code = ShaketableError.exit_code
    all_ended("")  # a run is unknown from here on; a person may go on without that share


def open_session(environment: Any, **_: Any) -> None:
    """Draw or read the schedule."""
    LoadSession.options, share = LoadSession.role.assigned(options_of(environment.parsed_options))
    LoadSession.dispatcher, LoadSession.playing = LoadSession.role.dispatcher(LoadSession.options, share), False
    if not LoadSession.options.run_dir and not LoadSession.role.worker:
        print(f"seed {LoadSession.options.seed}", flush=True)
    try:
        if LoadSession.make_sender:
            watch(LoadSession.options.sender, LoadSession.options.request_timeout_s)
        else:
            check_host(environment.host or "")  # the web page may name another
    except InputError as e:
        give_up(environment, str(e))


def begin(user_count: int, **_: Any) -> None:
    """All users are there: the play begins. Users that come or go later change nothing about it."""
    if LoadSession.role.starts():
        start_playing(user_count)


def start_playing(users: int, start: int | None = None) -> None:
    """Play once, from T0 on."""
    if users and not LoadSession.playing and not LoadSession.dispatcher.ended:
        LoadSession.playing = True
        gevent.spawn(play_whole, users, start).link_exception(die)


def play_whole(users: int, start: int | None) -> None:
    """Pace the whole schedule, or the share of it, then end."""
    playing, run_dir = LoadSession.dispatcher, LoadSession.options.run_dir
    watch = None if run_dir else gevent.spawn_later(NOBODY_S, end_if_nobody_listens, playing)
    playing.play(users, start)
    if watch:
        watch.kill(block=False)
    if worker := LoadSession.role.worker:
        worker.done(playing.broken)
    elif playing.broken and not run_dir:
        give_up(LoadSession.environment, playing.broken)
    elif run_dir:
        LoadSession.environment.runner.quit()


def end_if_nobody_listens(playing: Dispatcher) -> None:
    """A person who mistyped a port need not wait; under the harness the target may be down on purpose."""
    if playing is LoadSession.dispatcher and playing.nobody_listens:
        environment, place = LoadSession.environment, LoadSession.options.sender
        if place:
            why = f"{sender.shown(place)} could not open: is its service running, and are its variables set?"
        else:
            why = f"nobody listened at {environment.host} for {NOBODY_S:g} s: is the target running there?"
        give_up(environment, why)


def give_up(environment: Any, why: str) -> None:
    """End the test with a sentence; without a web page that is the end of Locust too, with the exit code of input."""
    if LoadSession.role.worker:  # the test is the master's
        LoadSession.role.worker.done(why)
        return
    print(f"locust: {why}", file=sys.stderr, flush=True)
    environment.process_exit_code = InputError.exit_code
    gevent.spawn(environment.runner.stop if environment.web_ui else environment.runner.quit)


def stop_playing(**_: Any) -> None:
    """Hand nothing out any more; requests in flight have the stop time-out to be answered."""
    LoadSession.dispatcher.stop()
    LoadSession.role.end()


def close_session(environment: Any, **_: Any) -> None:
    """Say what became of it all."""
    LoadSession.dispatcher.finish()
    if LoadSession.options.run_dir:
        environment.process_exit_code = environment.process_exit_code or 0  # the harness judges by the journal
    if LoadSession.role.master:  # it has sent nothing
        return
    print(LoadSession.dispatcher.stats.sentence(), flush=True)
    if not LoadSession.dispatcher.stats.attempts and environment.process_exit_code is None:
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
        self.sender: SenderConnection | None = None
        if LoadSession.make_sender:
            self.sender = SenderConnection(options.sender, LoadSession.make_sender, options.request_timeout_s)
        else:
            given = {**options.headers, **headers.given(os.environ)}
            self.connection = Connection(str(self.host), options.request_timeout_s, given, options.method)
        self.inbox: Inbox = SimpleQueue()
        self.leaving = False
        self.since_intended = environment.stats.get("/events since intended", "POST")

    def on_start(self) -> None:
        """The last of all starts the play; Locust itself says that they are complete only a second later."""
        if LoadSession.role.alone and self.environment.runner.user_count == self.environment.runner.target_user_count:
            begin(self.environment.runner.user_count)

    @task
    def play(self) -> None:
        """One endless task: what a task costs is paid once, not for each request."""
        try:
            while not self.leaving and (assignment := LoadSession.dispatcher.take(self.inbox)):
                self.send(assignment)
        finally:  # killed, perhaps: what it has not taken goes to another user
            LoadSession.dispatcher.leave(self.inbox)
            if self.sender:
                self.sender.close()
        raise StopUser

    def stop(self, force: bool = False) -> bool:
        """Locust wants fewer users: this one ends after its request, at once if it has none."""
        self.leaving = True
        stopped = bool(super().stop(force))
        if not stopped:
            LoadSession.dispatcher.leave(self.inbox)
            self.inbox.put(None)
        return stopped

    def exchange(self, events: list[Planned], bodies: list[bytes]) -> list[Reply]:
        """Send the bodies of a request, and return the response to each event, or its error."""
        options, expect = LoadSession.options, events[0].expect
        if self.sender and options.batch:
            return self.sender.send_batch([(event.event_id, body) for event, body in zip(events, bodies, strict=True)])
        if self.sender:
            return [self.sender.send(events[0].event_id, bodies[0])]
        if (batch := options.batch) and (batch.takes(expect) or batch.path is None):
            body = batch.body(bodies, expect)
            return batch.replies(self.connection.send(batch.path or options.path, body), len(events))
        return [self.connection.send(options.path, bodies[0], options.traceparent(events[0]))._replace(content=b"")]

    def send(self, assignment: Assignment) -> None:
        """One attempt, or several in one request: the intents first, then the request, then the outcomes."""
        attempts, playing = assignment.all, LoadSession.dispatcher
        try:
            bodies = [playing.begin(each) for each in attempts]
            try:
                replies = self.exchange([each.planned for each in attempts], bodies)
            except BaseException as e:  # killed in the middle: nobody knows, so that another user tries again
                for each in attempts:
                    playing.end(each, Reply(None, type(e).__name__))
                raise
            answers = [playing.end(each, reply) for each, reply in zip(attempts, replies, strict=True)]
        except OSError as e:  # not the target's doing: the journal's disk
            print(f"the journal cannot be written: {e}", file=sys.stderr, flush=True)
            os._exit(ShaketableError.exit_code)
        for each, answer, reply in zip(attempts, answers, replies, strict=True):
            self.log(each, reply, contract_violation(each.planned, answer, reply))

    def log(self, assignment: Assignment, reply: Reply, why: str) -> None:
        """Locust's own statistics: an event each, also of a batch."""
        if assignment.latency_ms is not None:
            self.since_intended.log(assignment.latency_ms, 0)
        hooks.request.fire(
            request_type=LoadSession.options.method,
            name="/events",
            url=LoadSession.options.path,
            start_time=time.time() - assignment.took_ms / 1000,
            response_time=assignment.took_ms,
            response_length=reply.length,
            exception=UnexpectedAnswer(why) if why else None,
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
