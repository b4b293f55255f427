"""A load (its rate over time), and the schedule of intended send times that is drawn from it before the run."""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle

import msgspec

from shaketable.clock import SECOND
from shaketable.errors import ScenarioError
from shaketable.event import ids
from shaketable.load.mix import Mix
from shaketable.load.mix.shape import Expect, Shape
from shaketable.op import Nanoseconds, Whole

#: Seconds after which `burst` and `wave` repeat.
PERIOD_S = 10.0
#: Jitter of an intended time as a share of the gap to the next event; it prevents synchronisation with timers.
JITTER = 0.2
#: The organization that sends most of a mix with a `hot` share.
HOT = "org-hot"
#: Number of recent events from which a twin copies its contents.
TWIN_REACH = 50

#: The kinds of resends with the same contents, in turn. The same id in other letter case is for audit events: the
#: contract compares their ids without regard to case.
RESENDS = ("at_once", "after_ack", "drain", "later", "other_case")

#: The share of a `tenfold` load with ten times the rate, and its start as a share of the load.
TENFOLD, TENFOLD_FROM = 0.1, 0.4
_REST = 1 / (1 - TENFOLD + 10 * TENFOLD)

#: By name: the factor on the mean rate at second t of a load of `whole` seconds. Each factor has a mean of 1.
SHAPES: dict[str, Callable[[float, float], float]] = {
    "steady": lambda _t, _whole: 1.0,
    "ramp": lambda t, whole: 0.2 + 1.6 * min(t / whole, 1.0),
    "burst": lambda t, _whole: 0.5 if t % PERIOD_S < 8 else 3.0,
    "tenfold": lambda t, whole: _REST * (10 if TENFOLD_FROM <= t / whole % 1 < TENFOLD_FROM + TENFOLD else 1),
    "wave": lambda t, _whole: 1 + 0.8 * math.sin(2 * math.pi * t / PERIOD_S),
}


@dataclass(frozen=True)
class Load:
    """`rate` is the mean, in events a second, over baseline, shake and recovery together."""

    rate: float = 120.0
    baseline_s: float = 5.0
    shake_s: float = 25.0
    recover_s: float = 15.0
    shape: str = "steady"
    unsent_bound: float = 0.01  # largest share of events that may stay unsent; above it the run is unknown
    lateness_bound_ms: float = 250.0  # largest p99 of the harness's own lateness; above it the run is unknown

    def __post_init__(self) -> None:
        if not 0 < self.rate < math.inf:
            raise ScenarioError(f"expected a load's rate above 0 events a second, got {self.rate:g}: 120 is a start")
        for name in ("baseline_s", "shake_s", "recover_s"):
            seconds = getattr(self, name)
            if not 0 <= seconds < math.inf:
                raise ScenarioError(
                    f"expected a load's {name} of 0 seconds or more, got {seconds:g}: no phase is shorter"
                )
        if self.seconds <= 0:
            raise ScenarioError(
                "expected a load that lasts, got baseline_s, shake_s and recover_s of 0 in all: make one longer"
            )
        if not 0 <= self.unsent_bound <= 1 or not self.lateness_bound_ms > 0:
            raise ScenarioError(
                f"expected a load's unsent_bound from 0 to 1 and lateness_bound_ms above 0, got {self.unsent_bound:g} "
                f"and {self.lateness_bound_ms:g}: 0.01 and 250 are the defaults"
            )
        if self.shape not in SHAPES:
            raise ScenarioError(f"expected a load's shape, got {self.shape!r}: name one of {', '.join(SHAPES)}")

    @property
    def seconds(self) -> float:
        """Total duration in seconds."""
        return self.baseline_s + self.shake_s + self.recover_s

    def rate_at(self, t: float) -> float:
        """Events a second at second t."""
        return self.rate * SHAPES[self.shape](t, self.seconds)


class Planned(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One event to be sent: a line of schedule.jsonl."""

    n: Whole  # its number in the schedule
    at: Nanoseconds  # intended time of its first attempt, nanoseconds after T0
    event_id: str
    shape: Whole  # the number of its shape in the corpus
    expect: Expect
    organization: str | None = None  # None: absent, or malformed; of a target's own event, its order_by as JSON
    ordered: bool = False  # sent only after the previous event of its organization is settled
    resend: str = ""  # deliberate resend: at_once, after_ack, later, drain, other_case, changed
    twin_of: str | None = None  # the event with the same contents
    changed: Whole | None = None  # the shape of other contents that are sent again under its id


def schedule(
    load: Load, mix: Mix, corpus: Sequence[Shape], seed: int, id_format: str = "uuid", batch: int = 1
) -> list[Planned]:
    """All events of a run, sorted by intended time; deterministic. `batch` events are due together."""
    return list(plan(times(load), mix, corpus, seed, id_format, batch))


def times(load: Load, endless: bool = False) -> Iterator[float]:
    """Intended times in seconds after T0, evenly paced at the load's rate; `endless` continues past its end."""
    t = 0.0
    while endless or t < load.seconds - 1e-6:
        yield t
        t += 1 / load.rate_at(t)


def plan(
    at: Iterable[float], mix: Mix, corpus: Sequence[Shape], seed: int, id_format: str = "uuid", batch: int = 1
) -> Iterator[Planned]:
    """An event for each intended time; `batch` events in a row are due with the first of them."""
    planner, due = _Planner(mix, corpus, seed, ids.maker(id_format)), 0
    for n, (second, following) in enumerate(_with_next(at)):
        jitter = planner.rng.random() * JITTER * (following - second)
        due = due if n % batch else round((second + jitter) * SECOND)
        yield planner.next(n, due)


def _with_next(at: Iterable[float]) -> Iterator[tuple[float, float]]:
    """Pair each time with the next one, and the last time with itself."""
    before: float | None = None
    for second in at:
        if before is not None:
            yield before, second
        before = second
    if before is not None:
        yield before, before


class _Share:
    """Spreads a share evenly: true once in 1/share calls, also in a short run."""

    def __init__(self, share: float, rng: random.Random) -> None:
        self._share, self._due = share, rng.random()

    def __call__(self) -> bool:
        self._due += self._share
        if self._due < 1:
            return False
        self._due -= 1
        return True


class _InTurn:
    """A share of the events with certain shapes in turn; its own draws leave those of the others alone."""

    def __init__(self, shapes: list[Shape], share: float, seed: int, *, shuffled: bool = True) -> None:
        self._shapes = cycle(random.Random(seed).sample(shapes, len(shapes)) if shuffled else shapes)
        self._due = _Share(share if shapes else 0, random.Random(seed))
        #: An event that is due may be an ordered one, also every time: the next other one takes its place.
        self.pending = 0

    def count(self) -> None:
        """Count one event."""
        self.pending += self._due()

    def next(self) -> Shape:
        """The next of the shapes."""
        self.pending -= 1
        return self.another()

    def another(self) -> Shape:
        """The shape after it, which counts as none of the share."""
        return next(self._shapes)


class _Planner:
    """Draws the events one by one."""

    def __init__(self, mix: Mix, corpus: Sequence[Shape], seed: int, new_id: ids.NewId) -> None:
        self.rng, self._new_id = random.Random(seed), new_id
        good = [shape for shape in corpus if shape.expect is Expect.ACCEPT]
        bad = [shape for shape in corpus if shape.expect is not Expect.ACCEPT]
        plain = [shape for shape in good if shape.everyday]
        self._plain = cycle(plain)
        special = {shape.number for shape in good if shape.everyday or shape.sized or shape.numeric or shape.month_end}
        self._good = cycle(self._shuffled([shape for shape in good if shape.number not in special] or good))
        self._bad = cycle(self._shuffled(bad))
        self._announced = [
            _InTurn([shape for shape in good if shape.sized], mix.sized, seed),
            _InTurn([shape for shape in good if shape.numeric], mix.numeric, seed + 1),
            # in their order: the events of a new month come together
            _InTurn([shape for shape in good if shape.month_end], mix.month_ends, seed + 2, shuffled=False),
        ]
        self._hot = mix.hot
        self._malformed, self._resent, self._twins, self._ordered, self._everyday = (
            _Share(share if shapes else 0, self.rng)
            for share, shapes in (
                (mix.malformed, bad),
                (mix.resent, good),
                (mix.twins, good),
                (mix.ordered, good),
                (mix.everyday, plain),
            )
        )
        self._resends = cycle(RESENDS)
        self._audit = {shape.number for shape in good if shape.body is not None}
        others = [shape for shape in good if shape.number in self._audit - special]
        self._changes = _InTurn(others if len(others) > 1 else [], mix.changed if mix.resent else 0, seed + 3)
        ordered = [f"ordered-{i + 1}" for i in range(mix.ordered_organizations)]
        self._organizations = [f"org-{i + 1}" for i in range(mix.organizations)]
        if own := list(dict.fromkeys(shape.order for shape in good if shape.order is not None)):
            ordered, rest = own[: mix.ordered_organizations], own[mix.ordered_organizations :]
            self._organizations = (rest or own)[: mix.organizations]
        self._in_turn = cycle([each for each in ordered for _ in range(mix.ordered_run)])
        self._recent: deque[Planned] = deque(maxlen=TWIN_REACH)

    def _shuffled(self, shapes: list[Shape]) -> list[Shape]:
        return self.rng.sample(shapes, len(shapes))

    def next(self, n: int, at: int) -> Planned:
        event_id = self._new_id(self.rng, n)
        if self._malformed():
            shape = next(self._bad)
            return Planned(n, at, event_id, shape.number, shape.expect)
        planned = self._twin(n, at, event_id) if self._twins() and self._recent else self._fresh(n, at, event_id)
        self._recent.append(planned)
        return planned

    def _twin(self, n: int, at: int, event_id: str) -> Planned:
        """An event with a new id, and the contents and organization of an earlier event."""
        of = self.rng.choice(self._recent)
        resend = self._resend(of.shape)
        return Planned(n, at, event_id, of.shape, of.expect, of.organization, of.ordered, resend, of.event_id)

    def _fresh(self, n: int, at: int, event_id: str) -> Planned:
        everyday, ordered = self._everyday(), self._ordered()
        for each in self._announced:
            each.count()
        due = None if ordered else next((each for each in self._announced if each.pending), None)
        shape = due.next() if due else next(self._plain if everyday else self._good)
        if shape.body is None and shape.order is None:  # a target's own event without a value to order by
            return Planned(n, at, event_id, shape.number, shape.expect, resend=self._resend(shape.number))
        organization = next(self._in_turn) if ordered else self._organization(shape)
        resend, changed = self._resend(shape.number), None
        self._changes.count()
        if not resend and organization is not None and shape.body is not None and self._changes.pending:
            resend, changed = "changed", self._other_than(shape.number)
        return Planned(n, at, event_id, shape.number, shape.expect, organization, ordered, resend, changed=changed)

    def _other_than(self, shape: int) -> int:
        found = self._changes.next().number
        return found if found != shape else self._changes.another().number

    def _organization(self, shape: Shape) -> str | None:
        """Mostly an organization of the mix; one event in eight uses its shape's own (hostile or absent)."""
        if self.rng.random() < 0.125 and shape.body is not None:
            return shape.body.get("organizationId")
        if self._hot and self.rng.random() < self._hot:
            return HOT
        return self.rng.choice(self._organizations)

    def _resend(self, shape: int) -> str:
        kind = next(self._resends) if self._resent() else ""
        return "after_ack" if kind == "other_case" and shape not in self._audit else kind


def body(planned: Planned, shape: Shape, other_case: bool = False) -> bytes:
    """The request's body, which checks compare with the stored event; with `other_case` its id in upper case."""
    return shape.wire(planned.event_id.upper() if other_case else planned.event_id, planned.organization)
