"""The manifest's [breaker]: transitions read from the output of a process, by a pattern with named groups."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shaketable.clock import Pair, pair
from shaketable.files import foreign
from shaketable.target.strict import Strict

if TYPE_CHECKING:
    from shaketable.target.target import Target

#: The groups of a pattern; `from` may be absent.
NEEDED, KNOWN = {"at", "to"}, {"at", "from", "to"}
#: The most bytes of a log, which is what is left of one that was cut, and of one line.
MOST, LONGEST_LINE = (64 << 20) - 1, 64 << 10
#: Last lines that are searched for the current state.
LOOKED_AT = 50
#: The spellings of the states, without case, `-`, `_` and spaces.
STATES = {"CLOSED": "CLOSED", "CLOSE": "CLOSED", "OPEN": "OPEN", "OPENED": "OPEN", "HALFOPEN": "HALF_OPEN"}
#: By the most digits of a whole number: the nanoseconds of one, as seconds, ms, µs or ns since the epoch.
UNITS = ((11, 1_000_000_000), (14, 1_000_000), (17, 1_000), (20, 1))

_FRACTION = re.compile(r"[.,](\d+)")
_NUMBER = re.compile(r"(\d{9,20})(?:\.(\d+))?")


class Breaker(Strict, frozen=True, forbid_unknown_fields=True):
    """Where breaker transitions are logged, if no process writes transitions.jsonl: lines of a process's output."""

    process: str  # each of its processes has a breaker, CLOSED from its start
    log: str  # a regular expression with the groups `at` and `to`, and `from` if a line says so

    def mistakes(self, processes: Sequence[str], *, claimed: bool) -> Iterator[str]:
        """Sentences on keys that cannot be used, each with the remedy; `claimed` is capabilities.breaker."""
        if self.process not in processes:
            yield f"expected breaker.process to be one of {', '.join(processes)}, got {self.process!r}"
        try:
            groups = set(re.compile(self.log).groupindex)
        except (re.error, RecursionError, OverflowError) as e:
            yield f"expected breaker.log to be a regular expression, got {self.log!r}: {e}"
        else:
            if missing := sorted(NEEDED - groups):
                named = " and ".join(f"(?P<{name}>…)" for name in missing)
                yield f"expected breaker.log to have the groups `at` and `to`, got {self.log!r}: add {named}"
            if odd := sorted(groups - KNOWN):
                yield f"expected breaker.log to have the groups at, from and to, got {', '.join(odd)}: leave them out"
        if not claimed:
            yield "[breaker] reads transitions, and capabilities.breaker claims no breaker: write breaker = true there"


def collected(target: Target, logs: Path) -> list[dict[str, Any]]:
    """The transitions in the output of a target's processes; [] without [breaker]."""
    if (breaker := target.manifest.breaker) is None:
        return []
    starts = {each.name: each.starts for each in target.instances.values() if each.kind.name == breaker.process}
    now = pair()
    return [line for name, began in starts.items() for line in transitions(breaker, name, began, logs, now)]


def transitions(
    breaker: Breaker, process: str, began: Sequence[int], logs: Path, now: Pair
) -> Iterator[dict[str, Any]]:
    """The transitions of a process that started at these monotonic ns, in the form of transitions.jsonl.

    `now` converts the times in the log. A log that cannot be read to its end yields a line without a number, and a
    transition with an unknown state or time has none, either: both show that a transition is missing.
    """
    lives = [[_line(process, n, 0, None, "CLOSED", at, "start")] for n, at in enumerate(began, 1)]
    log = logs / f"{process}.log"
    try:
        for found in _matches(re.compile(breaker.log), log):
            at = monotonic(found.get("at", ""), now)
            number = max(1, bisect_right(began, at)) if at >= 0 else len(began)
            life = lives[number - 1]
            before = state(found["from"]) if "from" in found else life[-1]["to"]
            life.append(_line(process, number, len(life), before, state(found.get("to", "")), at, "logged"))
    except OSError as e:
        yield {"process": process, "incarnation": "?", "reason": f"{log.name} is not read further: {e.strerror}"}
    for life in lives:
        yield from life


def _line(
    name: str, number: int, seq: int, before: str | None, after: str | None, at: int, reason: str
) -> dict[str, Any]:
    known = seq if seq == 0 or None not in (before, after) else -1
    return {
        "process": name,
        "incarnation": str(number),
        "seq": known,
        "from": before,
        "to": after,
        "monotonic_ns": at,
        "reason": reason,
    }


def _matches(pattern: re.Pattern[str], log: Path) -> Iterator[dict[str, str]]:
    """The groups of each line that matches, those that took part."""
    taken = 0
    with foreign.opened(log, MOST) as file:
        while line := file.readline(LONGEST_LINE):
            taken += len(line)
            if taken > MOST:
                raise foreign.Refused(log, f"expected at most {MOST:,} bytes, got more")
            if found := pattern.search(line.decode(errors="replace").rstrip("\r\n")):
                yield {group: text for group, text in found.groupdict().items() if text is not None}


def last_state(breaker: Breaker, log: Path) -> str | None:
    """The state after the last transition among a log's last lines; None without one."""
    for line in reversed(foreign.tail(log, LOOKED_AT)):
        if found := re.search(breaker.log, line):
            return state(found["to"] or "")
    return None


def state(text: str) -> str | None:
    """CLOSED, OPEN or HALF_OPEN; None for another word."""
    return STATES.get(re.sub(r"[-_ ]", "", text).upper())


def monotonic(text: str, now: Pair) -> int:
    """A logged time in monotonic ns; -1 for one that cannot be read, or is coarser than milliseconds."""
    wall = _wall(text.strip())
    return -1 if wall is None else max(-1, now.monotonic + wall - now.wall)


def _wall(text: str) -> int | None:
    """Nanoseconds since 1970 of a number (in s, ms, µs or ns) or a date and time; without an offset, in local time."""
    if found := _NUMBER.fullmatch(text):
        unit = next(ns for digits, ns in UNITS if len(found[1]) <= digits)
        fraction = found[2] or ""
        if unit == UNITS[0][1] and len(fraction) < 3:
            return None
        return int(found[1]) * unit + int(f"{fraction:0<9}"[:9]) * unit // 1_000_000_000
    fraction_ = _FRACTION.search(text)
    if fraction_ is None or len(fraction_[1]) < 3:
        return None
    try:  # Go's log writes 2026/11/24
        at = datetime.fromisoformat(_FRACTION.sub("", text, count=1).replace("/", "-")).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    return int(at) * 1_000_000_000 + int(f"{fraction_[1]:0<9}"[:9])
