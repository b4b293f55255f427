"""The rules of a breaker, one function each: given one incarnation, when and how it broke the rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from shaketable.checks.kinds.incarnation import CLOSED, HALF_OPEN, LEGAL, LOG_GRAIN, OPEN, Incarnation, incarnations
from shaketable.checks.kinds.spans import Span, disturbed, later, store_outages
from shaketable.clock import MS, SECOND

if TYPE_CHECKING:
    from shaketable.evidence.history import History
    from shaketable.evidence.history.observations import RecordedFault
    from shaketable.target.manifest import Timing

#: Times at which a rule was broken, each with how.
Broken = Iterator[tuple[int, str]]

#: By so much a recovery time may seem shorter than it was: the clocks of two processes, a timer's grain (ns).
EARLY = 100 * MS
#: Statements under way when a breaker opened may arrive for so long, plus the links' latency (ns).
UNDER_WAY = SECOND // 2
#: The faults that refuse certain events, and those that refuse the next statements.
REJECT_ROWS, FAIL_NEXT = "reject_rows", "fail_next"
#: Classes of SQLSTATE that are about an event, and those that are about the store.
OF_DATA, OF_THE_STORE = ("22", "23", "40", "54"), ("08", "53", "57", "58")
#: Connections that one trial may make.
TRIAL_CONNECTIONS = 1
#: Trials that may fail after all is healed: leftovers of the outage (locks, dead sessions) may take one.
TRIALS_AFTER_HEALING = 1


def illegal(life: Incarnation) -> Broken:
    """A transition that the contract does not know, or that does not begin where the one before it ended."""
    last, state = None, None
    for seq, at, before, to in zip(life.seqs, life.times, life.befores, life.states, strict=True):
        follows = seq == last + 1 if last is not None else before is None  # after a gap, its own word must do
        if (follows and before != state) or to not in LEGAL.get(before, set()):
            yield at, f"from {before} to {to} while it was {state}"
        last, state = seq, to


def opened_late(life: Incarnation) -> Broken:
    """Still closed when the bound was over, although there was work."""
    for span in must_open(life):
        opened = [at for at in life.moves(CLOSED, OPEN) if span.has(at)]
        if not opened and life.state_at(span.begin) == CLOSED:
            yield span.end, f"not open {span.seconds:g} s after the store became unavailable"
    for fault, span in _failed_next(life):
        enough = _k(fault) >= _threshold(life) and _is_of_the_store(fault) and _aims_at_one(life.history, fault)
        opened = [at for at in life.moves(CLOSED, OPEN) if span.has(at)]
        if enough and not opened and life.state_at(span.begin) == CLOSED:
            yield span.begin, f"not open after {_k(fault)} failures"


def opened_early(life: Incarnation) -> Broken:
    """Opened without cause: nothing but data was refused, or fewer rounds failed than its threshold."""
    grace = life.history.timing.attempt_timeout_s + 1
    broken, causes = disturbed(life.history, grace), disturbed(life.history, grace, but=_is_poison)
    for at in life.moves(CLOSED, OPEN):
        if not any(span.has(at) for span in causes):
            poisoned = any(span.has(at) for span in broken)
            yield at, "opened while only data was refused" if poisoned else "opened while nothing was broken"
    others = disturbed(life.history, grace, but=lambda fault: fault.spec.get("kind") == FAIL_NEXT)
    for fault, span in _failed_next(life):
        for at in life.moves(CLOSED, OPEN):
            if _k(fault) < _threshold(life) and span.has(at) and not any(other.has(at) for other in others):
                yield at, f"opened after {_k(fault)} failures"


def half_open_early(life: Incarnation) -> Broken:
    """Tried again before its recovery time was over."""
    recovery = life.history.timing.recovery_s
    for span in life.spans(OPEN):
        if life.state_at(span.end) == HALF_OPEN and span.end - span.begin < recovery * SECOND - EARLY:
            yield span.end, f"half-open after {span.seconds:.2f} s"


def many_trials(life: Incarnation) -> Broken:
    """More than one connection in one half-open time."""
    connects = life.received("connect")
    for span in life.spans(HALF_OPEN):
        tried = len(span.of(life.sunk)) + len(Span(span.begin - LOG_GRAIN, span.end - LOG_GRAIN).of(connects))
        if tried > TRIAL_CONNECTIONS:
            yield span.begin, f"{tried} connections while half-open"


def sent_while_open(life: Incarnation) -> Broken:
    """The store, or a sink in its place, received something while the breaker was open."""
    received = life.received("connect", "statement")
    for span in life.spans(OPEN):
        quiet = Span(span.begin + UNDER_WAY + _latency(life.history, span.begin), span.end - LOG_GRAIN)
        sent = len(quiet.of(life.sunk)) + len(quiet.of(received))
        if sent:
            yield span.begin, f"{sent} connections or statements while open"


def closed_while_away(life: Incarnation) -> Broken:
    """Closed although nothing could be stored."""
    for outage in store_outages(life.history):
        for at in life.moves(HALF_OPEN, CLOSED):
            if Span(outage.begin + UNDER_WAY, outage.end).has(at):
                yield at, "closed while the store was unavailable"


def never_closed(life: Incarnation) -> Broken:
    """Not closed at the end, although there was time after the last healing."""
    healed, timing = life.history.healed_at, life.history.timing
    if healed is None or life.ended:
        return
    if life.end - healed >= closing_s(timing) * SECOND and life.states[-1] != CLOSED:
        yield life.end, f"{life.states[-1]} at the end"


def closing_s(timing: Timing) -> float:
    """Seconds from the last healing by which every breaker has had time to close."""
    return (TRIALS_AFTER_HEALING + 1) * (timing.recovery_s + timing.attempt_timeout_s) + 1


def flapped(life: Incarnation) -> Broken:
    """Trials that began after the last healing and failed."""
    healed = life.history.healed_at
    if healed is None:
        return
    failed = [span for span in life.spans(HALF_OPEN) if span.begin > healed and life.state_at(span.end) == OPEN]
    if len(failed) > TRIALS_AFTER_HEALING:
        yield failed[-1].end, f"{len(failed)} trials failed after all was healed"


RULES: dict[str, Callable[[Incarnation], Broken]] = {
    rule.__name__: rule
    for rule in (
        illegal,
        opened_late,
        opened_early,
        half_open_early,
        many_trials,
        sent_while_open,
        closed_while_away,
        never_closed,
        flapped,
    )
}


def must_open(life: Incarnation) -> list[Span]:
    """The bound's time from the start of each outage that lasted as long and gave this breaker work."""
    bound = int(life.history.timing.open_within_s * SECOND)
    spans = [
        Span(outage.begin, outage.begin + bound)
        for outage in store_outages(life.history)
        if outage.end - outage.begin >= bound
    ]
    return [span for span in spans if life.times[0] <= span.begin and life.end >= span.end and _had_work(life, span)]


def _had_work(life: Incarnation, span: Span) -> bool:
    """Something was to be stored all the while, and this process was at it: it tried, or had just written."""
    before = Span(span.begin - 5 * SECOND, span.begin)
    tried = len(span.of(life.sunk)) or len(before.of(life.received("statement")))
    return bool(tried) and _work_waited(life.history, span)


def _work_waited(history: History, span: Span) -> bool:
    """By the queue, read directly; where it is unknown, by the events acknowledged meanwhile."""
    probes = history.probes
    if probes is not None:
        queue = probes.queue[(probes.time >= span.begin + SECOND) & (probes.time < span.end)].dropna()
        if len(queue):
            return bool((queue > 0).all())
    return history.events is not None and len(span.of(history.events.first_acknowledged.to_numpy())) > 0


def _failed_next(life: Incarnation) -> Iterator[tuple[RecordedFault, Span]]:
    """The faults that fail exactly the next k rounds of this process, where they did and it lived all the while."""
    for fault in life.history.faults:
        span = Span(fault.began, later(fault.healed, 1.0))
        lived = life.times[0] <= span.begin and life.end >= span.end
        if (
            fault.spec.get("kind") == FAIL_NEXT
            and fault.landed
            and lived
            and _aims_at(life.history, fault, life.process)
        ):
            yield fault, span


def _aims_at(history: History, fault: RecordedFault, process: str) -> bool:
    return not fault.spec.get("process") or history.is_aimed_at(fault, process)


def _aims_at_one(history: History, fault: RecordedFault) -> bool:
    """Whether all failures came to one process: several share them, and each may have seen fewer."""
    names = {life.process for life in incarnations(history)}
    return sum(_aims_at(history, fault, name) for name in names) == 1


def _is_poison(fault: RecordedFault) -> bool:
    """Whether it refuses events for an error of their data, which is no failure of the store."""
    return fault.spec.get("kind") == REJECT_ROWS and str(fault.spec.get("sqlstate", "22")).startswith(OF_DATA)


def _is_of_the_store(fault: RecordedFault) -> bool:
    return str(fault.spec.get("sqlstate", "53")).startswith(OF_THE_STORE)


def _k(fault: RecordedFault) -> int:
    return int(fault.spec.get("k", 0))


def _threshold(life: Incarnation) -> int:
    return life.history.timing.failure_threshold


def _latency(history: History, time: int) -> int:
    """The delay that the links to the store add at that time (ns): an answer under way comes so much later."""
    added = [
        fault.spec.get("ms", 0)
        for fault in history.faults
        if fault.spec.get("kind") == "latency" and fault.began <= time < fault.healed
    ]
    return int(max(added, default=0) * MS)
