"""Every breaker keeps the rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from shaketable.checks.check import Finding, Verdict
from shaketable.checks.kinds.breaker_rules import FAIL_NEXT, REJECT_ROWS, RULES, illegal, must_open
from shaketable.checks.kinds.findings import counts, not_applicable, some, unknown
from shaketable.checks.kinds.incarnation import CLOSED, OPEN, Incarnation, incarnations, unread
from shaketable.checks.kinds.spans import told
from shaketable.evidence.history.contention import contended

if TYPE_CHECKING:
    from shaketable.evidence.history import History

#: Rules about traffic that another process than the target's notes.
NOTED = ("many_trials", "sent_while_open")


@dataclass(frozen=True)
class BreakerBehaves:
    """Every breaker moves legally, opens in time, stays open its recovery time, and sends nothing while open.

    Judged per incarnation of a process, by these rules. illegal: a transition other than CLOSED→OPEN, OPEN→HALF_OPEN,
    HALF_OPEN→CLOSED or OPEN, or one that does not begin where the last ended. opened_late: still CLOSED open_within_s
    after the store became unavailable, with work in the queue all the while and this process at it; or after as many
    failures as the threshold (FailNext), all of them of one process. opened_early: opened while nothing was broken,
    while nothing but data was refused (RejectRows), or after fewer failures than its threshold (FailNext).
    half_open_early: left OPEN before recovery_s. many_trials: more than one connection in one half-open time.
    sent_while_open: a connection or statement between OPEN + the links' latency + 0.5 s and HALF_OPEN.
    closed_while_away: closed while nothing could be stored. never_closed: not closed at the end, with time enough after
    the last healing. flapped: more than one trial failed after it.

    Evidence: the transitions (the target's own word, only for when it changed its mind), sinks and Postgres's log (the
    real traffic, by application name), the faults' times, the queue. A missing transition (a gap in `seq`, or a file
    that could not be read to its end), a time of OPEN about which neither sink nor log can speak, a run in which no
    breaker had cause to open, or a single connection at the wrong time while other programs kept the machine busy,
    since it may have been noted late: unknown.

    Does not prove: that trials within one connection are single, or that the threshold counts the right failures where
    no fault fails an exact number of rounds.
    """

    name: ClassVar[str] = "breaker_behaves"
    held: ClassVar[str] = "the breakers behaved"

    def judge(self, history: History) -> Finding:
        if not history.capabilities.breaker:
            return not_applicable("the target claims no breaker (capabilities.breaker)")
        lives = incarnations(history)
        if not lives:
            return unknown("no breaker transition was recorded: transitions.jsonl is missing or empty")
        broken = _broken(history, lives)
        opened = sum(len(life.moves(CLOSED, OPEN)) for life in lives)
        found = counts(
            incarnations=len(lives),
            transitions=sum(len(life.states) for life in lives),
            opened=opened,
            had_to_open=sum(len(must_open(life)) for life in lives),
            **broken,
        )
        if why := "; ".join(f"{name.replace('_', ' ')}: {each[0]}" for name, each in broken.items() if each):
            if (busy := contended(history)) and _maybe_noted_late(broken):
                return Finding(Verdict.UNKNOWN, found, some(**broken), f"{why}; but {busy}")
            return Finding(Verdict.FAILED, found, some(**broken), why)
        if caveats := _caveats(history, lives):
            return Finding(Verdict.UNKNOWN, found, {}, "; ".join(caveats))
        return Finding(Verdict.PASSED, found)


def _broken(history: History, lives: list[Incarnation]) -> dict[str, list[str]]:
    """By rule, which breaker broke it, when and how. Missing transitions are not judged."""
    return {
        name: [
            f"{life.name} at {told(history, at)}: {how}"
            for life in lives
            if life.is_whole or rule is illegal
            for at, how in rule(life)
        ]
        for name, rule in RULES.items()
    }


def _maybe_noted_late(broken: dict[str, list[str]]) -> bool:
    """Whether one connection explains it all, which was made earlier and which the sink or the log noted late."""
    return sum(map(len, broken.values())) == 1 and any(broken[name] for name in NOTED)


def _caveats(history: History, lives: list[Incarnation]) -> list[str]:
    """Why the observations cannot show that the rules were kept."""
    caveats = [f"the transitions of {process} could not be read to the end" for process in unread(history)]
    caveats += [
        f"a transition of {life.name} is missing (a gap in seq, or in time)"
        for life in lives
        if life.is_read and not life.is_whole
    ]
    caveats += [
        f"{life.name} opened, but neither a sink nor Postgres's log knows what it sent"
        for life in lives
        if OPEN in life.states and not life.logged and not len(life.sunk)
    ]
    exact = any(fault.spec.get("kind") in (FAIL_NEXT, REJECT_ROWS) and fault.landed for fault in history.faults)
    if not exact and not any(OPEN in life.states or must_open(life) for life in lives):
        caveats.append("no breaker had cause to open")
    return caveats
