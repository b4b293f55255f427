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
    resend: str = ""  # deliberate resend: at_once, after_ack, drain
    twin_of: str | None = None  # the event with the same contents


def schedule(load: Load, mix: Mix, corpus: Sequence[Shape], seed: int, id_format: str = "uuid") -> list[Planned]:
    """All events of a run, sorted by intended time; deterministic."""
    return list(plan(times(load), mix, corpus, seed, id_format))


def times(load: Load, endless: bool = False) -> Iterator[float]:
    """Intended times in seconds after T0, evenly paced at the load's rate; `endless` continues past its end."""
    t = 0.0
    while endless or t < load.seconds - 1e-6:
        yield t
        t += 1 / load.rate_at(t)


def plan(
    at: Iterable[float], mix: Mix, corpus: Sequence[Shape], seed: int, id_format: str = "uuid"
) -> Iterator[Planned]:
    """An event for each intended time."""
    planner = _Planner(mix, corpus, seed, ids.maker(id_format))
    for n, (second, following) in enumerate(_with_next(at)):
        jitter = planner.rng.random() * JITTER * (following - second)
        yield planner.next(n, round((second + jitter) * SECOND))


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


class _Planner:
    """Draws the events one by one."""

    def __init__(self, mix: Mix, corpus: Sequence[Shape], seed: int, new_id: ids.NewId) -> None:
        self.rng, self._new_id = random.Random(seed), new_id
        good = [shape for shape in corpus if shape.expect is Expect.ACCEPT]
        bad = [shape for shape in corpus if shape.expect is not Expect.ACCEPT]
        plain = [shape for shape in good if shape.everyday]
        self._plain = cycle(plain)
        self._good = cycle(self._shuffled([shape for shape in good if not shape.everyday] or good))
        self._bad = cycle(self._shuffled(bad))
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
        self._resends = cycle(("at_once", "after_ack", "drain"))
        ordered = [f"ordered-{i + 1}" for i in range(mix.ordered_organizations)]
        self._organizations = [f"org-{i + 1}" for i in range(mix.organizations)]
        if own := list(dict.fromkeys(shape.order for shape in good if shape.order is not None)):
            ordered, rest = own[: mix.ordered_organizations], own[mix.ordered_organizations :]
            self._organizations = (rest or own)[: mix.organizations]
        self._in_turn = cycle(ordered)
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
        return Planned(n, at, event_id, of.shape, of.expect, of.organization, of.ordered, self._resend(), of.event_id)

    def _fresh(self, n: int, at: int, event_id: str) -> Planned:
        shape, ordered = next(self._plain if self._everyday() else self._good), self._ordered()
        if shape.body is None and shape.order is None:  # a target's own event without a value to order by
            return Planned(n, at, event_id, shape.number, shape.expect, resend=self._resend())
        organization = next(self._in_turn) if ordered else self._organization(shape)
        return Planned(n, at, event_id, shape.number, shape.expect, organization, ordered, self._resend())

    def _organization(self, shape: Shape) -> str | None:
        """Mostly an organization of the mix; one event in eight uses its shape's own (hostile or absent)."""
        if self.rng.random() < 0.125 and shape.body is not None:
            return shape.body.get("organizationId")
        if self._hot and self.rng.random() < self._hot:
            return HOT
        return self.rng.choice(self._organizations)

    def _resend(self) -> str:
        return next(self._resends) if self._resent() else ""


def body(planned: Planned, shape: Shape) -> bytes:
    """The request's body, which checks compare with the stored event."""
    return shape.wire(planned.event_id, planned.organization)
