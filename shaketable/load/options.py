"""The command-line options of a locustfile: a run's saved schedule, or an endless one."""

from __future__ import annotations

import argparse
import math
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import msgspec

from shaketable import rundir
from shaketable.clock import SystemClock
from shaketable.errors import InputError
from shaketable.load import headers, mix
from shaketable.load.batch import Batch, decoded
from shaketable.load.dispatcher import Dispatcher, NoJournal, Writes
from shaketable.load.distributed.share import WHOLE, Share
from shaketable.load.mix.corpus import corpus
from shaketable.load.mix.shape import Shape
from shaketable.load.outcome import ACCEPTED, DEFINITE_REFUSALS
from shaketable.load.schedule import SHAPES, Load, Planned, plan, times
from shaketable.load.send_queue import RESEND_FOR_S
from shaketable.op import Journal
from shaketable.rundir import RunDir

if TYPE_CHECKING:
    from shaketable.load.mix.own.corpus import OwnShapes

#: Default number of users: enough for 3,000 events/s at a target's ordinary latency.
USERS = 300
#: Request timeout in seconds.
REQUEST_TIMEOUT_S = 5.0
#: Number of corpora for loads outside a run; the seed modulo this number chooses one. A random seed is a multiple of
#: it, so its corpus is always the same and cached, while its ids are new.
CORPORA = 2**16
#: Methods of a request.
METHODS = ("POST", "PUT", "PATCH")
#: The variable of a load outside a run with a manifest, or the name of one.
TARGET = "SHAKETABLE_TARGET"
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
    add("--batch", default="", help='send events in batches: {"size": 50, "path": "/events/batch"}')
    add("--target", default=os.environ.get(TARGET, ""), help=f"send what this manifest describes ({TARGET})")
    add("--sender", default="", help="send by this class instead of over HTTP: FILE.py:NAME")
    for hidden in ("--run-dir", "--drained"):
        add(hidden, default="", help=argparse.SUPPRESS, include_in_web_ui=False)
    add("--traced", action="store_true", help=argparse.SUPPRESS, include_in_web_ui=False)


@dataclass(frozen=True)
class LoadOptions:
    """The options of a load. Times are seconds."""

    rate: float
    shape: str
    seed: int
    mix: mix.Mix
    request_timeout_s: float
    resend_for_s: float
    run_dir: Path | None
    drained: Path | None = None  # resends in drain wait for this file, which says that the target has drained
    path: str = "/events"
    method: str = "POST"
    definite_refusals: frozenset[int] = DEFINITE_REFUSALS
    accepted: frozenset[int] = ACCEPTED
    sender: str = ""
    batch: Batch | None = None
    traced: bool = False  # each event has a traceparent of its own; not in a batch
    headers: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)  # a sender's own, outside a run
    own: OwnShapes | None = None  # of a target's own events
    max_bytes: int | None = None  # the largest body of an audit event that the target announces
    numbers: bool = False  # whether the target says how it keeps the numbers of audit events

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
            drained=Path(parsed.drained) if parsed.drained else None,
            sender=parsed.sender,
            batch=_batch(parsed.batch),
            traced=parsed.traced,
        )
        options.load()  # validates now rather than at the start of the test
        return options

    def load(self) -> Load:
        """The load; an endless schedule ignores its end."""
        return Load(self.rate, baseline_s=0, shake_s=RAMP_S, recover_s=0, shape=self.shape)

    def corpus(self) -> list[Shape]:
        """The shapes of an endless schedule; the first call takes a few seconds. Raises ManifestError."""
        seed = self.seed % CORPORA
        frame = self.batch.frame if self.batch else 0
        own = self.own.corpus(self.mix, seed) if self.own else None
        found = own or corpus(self.mix, seed, None, None, self.max_bytes, self.numbers, frame)
        return self.batch.sendable(found) if self.batch else found

    def traceparent(self, event: Planned) -> dict[str, str] | None:
        """The header that begins the event's trace; None if its target exports no spans."""
        return headers.traced(event.event_id) if self.traced else None

    def plan(self, shapes: Sequence[Shape]) -> Iterator[Planned]:
        """An endless schedule."""
        at, id_format = times(self.load(), endless=True), self.own.table.id_format if self.own else "uuid"
        return plan(at, self.mix, shapes, self.seed, id_format, self.batch.size if self.batch else 1)


def check_route(path: str) -> None:
    """Check that requests can use this path, an option's or a batch's. Raises InputError."""
    if not path.startswith("/") or not path.isprintable() or " " in path:
        raise InputError(f"expected a path to begin with a slash and to hold no space, got {path!r}: /events is usual")
    if not path.isascii() or path.startswith("//"):  # the HTTP client sends neither
        raise InputError(f"expected a path in ASCII, with one slash at the start, got {path!r}: /events is usual")


def check_host(host: str) -> None:
    """Check the target's address. Raises InputError."""
    try:
        url = urlsplit(host)
        sound = url.scheme in ("http", "https") and url.hostname and url.port != 0 and not (url.query or url.fragment)
    except ValueError:
        sound = None
    if not sound:
        raise InputError(f"expected --host as http://127.0.0.1:8080, with a path if there is one, got {host!r}")


def _batch(text: str) -> Batch | None:
    try:
        found = decoded(text)
    except msgspec.MsgspecError as e:
        raise InputError(f'expected --batch as {{"size": 50}}, with the keys of ingest.batch, got {text!r}: {e}') from e
    if why := next(found.mistakes(), "") if found else "":
        raise InputError(why)
    if found and found.path is not None:
        check_route(found.path)
    return found


def _statuses(option: str, text: str) -> frozenset[int]:
    try:
        return frozenset(int(status) for status in text.split(",") if status.strip())
    except ValueError as e:
        raise InputError(f"expected {option} as 400,401,503, got {text!r}: write status codes only") from e


def dispatcher(options: LoadOptions, share: Share | None = WHOLE) -> Dispatcher:
    """Dispatch a share of a run directory's schedule into its journal, or of an endless schedule without a journal.

    None dispatches nothing.
    """
    if share is None:
        return Dispatcher((), (), NoJournal(), SystemClock())
    if options.run_dir is None:
        shapes = options.corpus()
        plan = share.part(options.plan(shapes))
        return Dispatcher(plan, shapes, NoJournal(), SystemClock(), **_answers(options))
    run = RunDir(options.run_dir)
    schedule = list(share.part(rundir.read_lines(run / rundir.SCHEDULE, Planned)))
    shapes = list(rundir.read_lines(run / rundir.CORPUS, Shape))
    journal, drained = Journal(run.journal(share.process)), options.drained.exists if options.drained else None
    return dispatcher_of(options, share, schedule, shapes, journal, drained)


def dispatcher_of(
    options: LoadOptions,
    share: Share,
    schedule: Sequence[Planned],
    shapes: Sequence[Shape],
    journal: Writes,
    drained: Callable[[], bool] | None = None,
) -> Dispatcher:
    """Dispatch the events of a share into a journal; resends in drain wait for `drained`, if it is given."""
    more = _answers(options) | ({"drained": drained} if drained else {})
    return Dispatcher(schedule, shapes, journal, SystemClock(), process=share.process, **more)


def _answers(options: LoadOptions) -> dict[str, Any]:
    return {
        "resend_for_s": options.resend_for_s,
        "definite_refusals": options.definite_refusals,
        "accepted": options.accepted,
        "batch": options.batch,
    }
