"""The command-line options of a locustfile: a run's saved schedule, or an endless one."""

from __future__ import annotations

import argparse
import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from shaketable import rundir
from shaketable.clock import SystemClock
from shaketable.errors import InputError
from shaketable.load import mix
from shaketable.load.dispatcher import Dispatcher, NoJournal
from shaketable.load.mix.corpus import corpus
from shaketable.load.mix.shape import Shape
from shaketable.load.outcome import ACCEPTED, DEFINITE_REFUSALS
from shaketable.load.schedule import SHAPES, Load, Planned, plan, times
from shaketable.load.send_queue import RESEND_FOR_S
from shaketable.op import Journal
from shaketable.rundir import RunDir

#: The load's process name in its journal.
PROCESS = "load-0"
#: Default number of users: enough for 3,000 events/s at a target's ordinary latency.
USERS = 300
#: Request timeout in seconds.
REQUEST_TIMEOUT_S = 5.0
#: Number of corpora for loads outside a run; the seed modulo this number chooses one. A random seed is a multiple of
#: it, so its corpus is always the same and cached, while its ids are new.
CORPORA = 2**16
#: Methods of a request.
METHODS = ("POST", "PUT", "PATCH")
#: Duration of a ramp in an endless schedule, in seconds.
RAMP_S = 60.0


class Parser(Protocol):
    """The part of Locust's parser that is used here, so that this module does not import Locust."""

    def add_argument(self, *names: str, **how: Any) -> Any: ...
    def set_defaults(self, **values: Any) -> None: ...


def add_options(parser: Parser) -> None:
    """Add the load's options, and set Locust's defaults for an open loop on this machine."""
    parser.set_defaults(
        web_host="127.0.0.1", num_users=USERS, spawn_rate=float(USERS), stop_timeout=math.ceil(REQUEST_TIMEOUT_S)
    )
    add = parser.add_argument
    add("--rate", type=float, default=Load.rate, help="mean events a second (120)")
    add("--load-shape", default=Load.shape, choices=tuple(SHAPES), help="how the rate varies over time")
    add("--seed", type=int, default=0, help="seed of corpus, schedule and ids; 0 draws a new one each time")
    add("--mix", default="", help="shares of the mix, such as malformed=0.02,resent=0.02,twins=0.01,ordered=0.1")
    add("--path", default="/events", help="path at which the target accepts events")
    add("--method", default="POST", choices=METHODS, help="the method of the requests")
    add("--request-timeout", type=float, default=REQUEST_TIMEOUT_S, help="request timeout in seconds")
    add(
        "--resend-for",
        type=float,
        default=RESEND_FOR_S,
        help="seconds after its first attempt in which an event is retried",
    )
    refusals = ",".join(map(str, sorted(DEFINITE_REFUSALS)))
    add("--definite-refusals", default=refusals, help="statuses that mean certainly not accepted")
    add("--accepted", default=",".join(map(str, sorted(ACCEPTED))), help="statuses that mean accepted and durable")
    add("--run-dir", default="", help=argparse.SUPPRESS, include_in_web_ui=False)


@dataclass(frozen=True)
class LoadOptions:
    """The options of a load. Times are seconds."""

    rate: float
    shape: str
    seed: int
    mix: mix.Mix
    path: str
    method: str
    request_timeout_s: float
    resend_for_s: float
    definite_refusals: frozenset[int]
    accepted: frozenset[int]
    run_dir: Path | None

    @classmethod
    def of(cls, parsed: Any) -> LoadOptions:
        """Read parsed arguments. Raises InputError with a one-sentence message."""
        check_route(parsed.path)
        if not 0 < parsed.request_timeout < math.inf:
            raise InputError(f"expected --request-timeout above 0 seconds, got {parsed.request_timeout:g}: 5 is usual")
        options = cls(
            rate=parsed.rate,
            shape=parsed.load_shape,
            seed=parsed.seed or (secrets.randbits(32) + 1) * CORPORA,
            mix=mix.parse(parsed.mix),
            path=parsed.path,
            method=parsed.method,
            request_timeout_s=parsed.request_timeout,
            resend_for_s=parsed.resend_for,
            definite_refusals=_statuses("--definite-refusals", parsed.definite_refusals),
            accepted=_statuses("--accepted", parsed.accepted),
            run_dir=Path(parsed.run_dir) if parsed.run_dir else None,
        )
        options.load()  # validates now rather than at the start of the test
        return options

    def load(self) -> Load:
        """The load; an endless schedule ignores its end."""
        return Load(self.rate, baseline_s=0, shake_s=RAMP_S, recover_s=0, shape=self.shape)

    def corpus(self) -> list[Shape]:
        """The shapes of an endless schedule; the first call takes a few seconds."""
        return corpus(self.mix, self.seed % CORPORA)


def check_route(path: str) -> None:
    """Check that requests can use this path. Raises InputError."""
    if not path.startswith("/") or not path.isprintable() or " " in path:
        raise InputError(f"expected --path to begin with a slash and to hold no space, got {path!r}: /events is usual")


def check_host(host: str) -> None:
    """Check the target's address. Raises InputError."""
    try:
        url = urlsplit(host)
        sound = url.scheme in ("http", "https") and url.hostname and url.port != 0 and not (url.query or url.fragment)
    except ValueError:
        sound = None
    if not sound:
        raise InputError(f"expected --host as http://127.0.0.1:8080, with a path if there is one, got {host!r}")


def _statuses(option: str, text: str) -> frozenset[int]:
    try:
        return frozenset(int(status) for status in text.split(",") if status.strip())
    except ValueError as e:
        raise InputError(f"expected {option} as 400,401,503, got {text!r}: write status codes only") from e


def dispatcher(options: LoadOptions) -> Dispatcher:
    """Dispatch a run directory's schedule into its journal, or an endless schedule without a journal."""
    if options.run_dir is None:
        shapes = options.corpus()
        endless = plan(times(options.load(), endless=True), options.mix, shapes, options.seed)
        return Dispatcher(endless, shapes, NoJournal(), SystemClock(), **_answers(options))
    run, journal = _saved(options.run_dir)
    return Dispatcher(*run, Journal(journal), SystemClock(), process=PROCESS, **_answers(options))


def _answers(options: LoadOptions) -> dict[str, Any]:
    return {
        "resend_for_s": options.resend_for_s,
        "definite_refusals": options.definite_refusals,
        "accepted": options.accepted,
    }


def _saved(path: Path) -> tuple[tuple[Sequence[Planned], Sequence[Shape]], Path]:
    run = RunDir(path)
    schedule = list(rundir.read_lines(run / rundir.SCHEDULE, Planned))
    return (schedule, list(rundir.read_lines(run / rundir.CORPUS, Shape))), run.journal(PROCESS)
