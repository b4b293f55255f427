"""The sections for the page's template, as text that is not yet escaped."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shaketable import rundir
from shaketable.checks import CHECKS
from shaketable.checks import event_trace as life
from shaketable.evidence import again as commands
from shaketable.evidence.history import NEVER
from shaketable.evidence.history.observations import RecordedFault
from shaketable.report.page.recording import Recording, typed
from shaketable.report.page.sentence import checks as findings
from shaketable.report.page.sentence import counts
from shaketable.report.page.tracks import Tracks, lowest, peak
from shaketable.text import instant, number, quantity, spaced

#: The most members of a set; verdict.json has more.
SHOWN = 8
_ORDER = ("failed", "unknown", "passed", "not applicable")

Rows = list[tuple[str, str]]


@dataclass(frozen=True)
class Members:
    """Members of a check's set, each with the number of its trace on the page, or 0."""

    name: str
    shown: list[tuple[str, int]]
    more: int


@dataclass(frozen=True)
class Evidence:
    """One check on the page."""

    name: str
    verdict: str
    required: bool
    law: str
    terms: list[str]  # paragraphs: the meanings of the sets, and the limits of the law
    why: str
    counts: Rows
    members: list[Members]
    first: int = 0  # the number of the trace of the first event in its sets


@dataclass(frozen=True)
class Witnessed:
    """One fault on the page."""

    label: str
    planned: str
    active: str
    verdict: str
    said: str
    figure: str
    text: str
    settings: Rows  # the fields of the fault


def checks(doc: dict[str, Any]) -> list[Evidence]:
    """All checks, required ones first, then the worst first."""
    numbers = {life.event_id: number for number, life in enumerate(traces(doc), 1)}
    found = [_evidence(name, one, numbers) for name, one in findings(doc).items()]
    return sorted(found, key=lambda e: (not e.required, _ORDER.index(e.verdict) if e.verdict in _ORDER else 9))


def _evidence(name: str, found: dict[str, Any], numbers: dict[str, int]) -> Evidence:
    law, *terms = _law(name)
    members = typed(found.get("members"), dict[str, list[Any]]) or {}
    totals = typed(found.get("counts"), dict[str, float]) or {}
    return Evidence(
        name,
        str(found.get("verdict") or "unknown"),
        counts(found),
        law,
        terms,
        str(found.get("why") or ""),
        [quantity(str(key), value) for key, value in (found.get("counts") or {}).items()],
        [
            _members(key, [str(each) for each in ids], int(totals.get(key, 0)), numbers)
            for key, ids in members.items()
            if ids
        ],
        _first(members, numbers),
    )


def _first(members: dict[str, list[Any]], numbers: dict[str, int]) -> int:
    """The number of the first trace of a member; 0 if none has one."""
    ids = (each for found in members.values() for member in found for each in life.named(str(member)))
    return next((numbers[each] for each in ids if each in numbers), 0)


def _members(name: str, told: list[str], total: int, numbers: dict[str, int]) -> Members:
    shown = [(each, next((numbers[one] for one in life.named(each) if one in numbers), 0)) for each in told[:SHOWN]]
    return Members(spaced(name), shown, max(total, len(told)) - len(shown))


def _law(name: str) -> list[str]:
    """The law and its terms from the check's docstring; empty for an unknown check."""
    kind = CHECKS.kinds().get(name)
    told = (inspect.getdoc(kind) if kind else "") or ""
    return [" ".join(paragraph.split()) for paragraph in told.split("\n\n")] or [""]


def faults(recording: Recording) -> list[Witnessed]:
    """Each fault of the timeline: its active time and its witness."""
    return [_fault(recording, row) for row in recording.faults]


_LANDED = {True: ("passed", "landed"), False: ("failed", "did not land"), None: ("unknown", "not witnessed")}


def _fault(recording: Recording, row: RecordedFault) -> Witnessed:
    injected = row.began != NEVER
    healed = "not healed" if row.healed == NEVER else instant(float(recording.seconds(row.healed)))
    active = f"{instant(float(recording.seconds(row.began)))} – {healed}" if injected else "never injected"
    verdict, said = _LANDED[row.landed]
    figure = "" if row.figure is None else f"{number(row.figure)} {row.unit}"
    planned = f"{row.at_s:g} – {row.until_s:g} s of the shake"
    settings = [
        quantity(str(name), _told(value)) for name, value in row.spec.items() if name != "kind" and value is not None
    ]
    return Witnessed(row.label, planned, active, verdict, said, figure, row.text, [("fault", kind(row)), *settings])


def kind(row: RecordedFault) -> str:
    """The name of the fault's class; "" if not recorded."""
    return str(row.spec.get("kind") or "")


def _told(value: object) -> object:
    """A number as it is; a list or a table in words, each member's unit beside its value."""
    if isinstance(value, dict):
        return ", ".join(" ".join(quantity(str(name), _told(each))) for name, each in value.items())
    return ", ".join(str(_told(each)) for each in value) if isinstance(value, list | tuple) else value


@dataclass(frozen=True)
class TracedEvent:
    """The trace of one anomalous event."""

    event_id: str
    fate: str
    last_seen: str
    story: list[str]
    meanwhile: list[str]
    shares: list[str]


def traces(doc: dict[str, Any]) -> list[TracedEvent]:
    """The traces of anomalous events: lost, doubled, misordered and so on."""
    return [_lived(each) for each in typed(doc.get("lives"), list[dict[str, Any]]) or []]


def _lived(told: dict[str, Any]) -> TracedEvent:
    event_id, fate, last_seen = (str(told.get(part) or "") for part in ("event_id", "fate", "last_seen"))
    story, meanwhile, shares = (typed(told.get(part), list[str]) or [] for part in ("story", "meanwhile", "shares"))
    return TracedEvent(event_id, fate, last_seen, story, meanwhile, shares)


_HEADLINE = {
    "acknowledged": "acknowledged",
    "stored": "stored",
    "intake_p99_ms": "intake p99",
    "heal_to_first_commit_s": "heal to first commit",
    "heal_to_empty_backlog_s": "heal to empty backlog",
}


def headline(recording: Recording, tracks: Tracks) -> Rows:
    """The most important figures."""
    figures = recording.verdict.get("figures") or {}
    rows = [
        (told, quantity(name, figures[name])[1]) for name, told in _HEADLINE.items() if figures.get(name) is not None
    ]
    seen = {"longest backlog": peak(tracks.backlog), "lowest health": lowest(tracks.health)}
    return rows + [(name, number(value)) for name, value in seen.items() if value is not None]


def figures(doc: dict[str, Any]) -> Rows:
    """All measured figures."""
    found = doc.get("figures")
    return [quantity(str(name), value) for name, value in found.items()] if isinstance(found, dict) else []


def surroundings(recording: Recording) -> Rows:
    """The machine, then the packages."""
    told = dict(recording.environment)
    packages = [told.pop(name, None) for name in ("packages", "target_packages")]
    memory = told.pop("memory_bytes", None)
    rows = [quantity(name, _told(value)) for name, value in told.items()]
    rows += [("memory", f"{memory / 2**30:.1f} GiB")] if isinstance(memory, int) else []
    return rows + [(str(k), str(v)) for found in packages if isinstance(found, dict) for k, v in found.items()]


def asked(recording: Recording) -> Rows:
    """The scenario's inputs: seed, load, settings."""
    rows = [("scenario", recording.scenario.name), ("seed", str(recording.scenario.seed))]
    for part in ("load", "settings", "counts"):
        found = recording.told.get(part)
        rows += [quantity(str(key), value) for key, value in found.items()] if isinstance(found, dict) else []
    return rows


def durability(doc: dict[str, Any]) -> Rows:
    """The servers' durability settings in force."""
    found = typed(doc.get("durability"), dict[str, dict[str, str]]) or {}
    return [(f"{service}: {name}", value) for service, named in found.items() for name, value in named.items()]


def again(recording: Recording) -> Rows:
    """The commands that repeat the run, its judgement and its page."""
    needs = commands.needs(recording.run)
    return [
        (
            "The same run once more: corpus, schedule and timeline exactly" + (f"; {needs}" if needs else ""),
            commands.command(recording.run, recording.scenario.name),
        ),
        ("Judge it again from its files alone", commands.line("check", commands.shown(recording.run.path))),
        ("Write this page again", commands.line("report", commands.shown(recording.run.path))),
    ]


def when(recording: Recording) -> str:
    """The time of the run by its folder's name; "" for a renamed folder."""
    try:
        return datetime.strptime(recording.run.path.name[:16], "%Y%m%dT%H%M%SZ").strftime("%Y-%m-%d %H:%M UTC")
    except ValueError:
        return ""


def target(recording: Recording) -> str:
    """The target's name; "" if not recorded."""
    return str(recording.target.get("name") or recording.verdict.get("target") or "")


def missing(recording: Recording) -> list[str]:
    """Warnings for the reader: an interrupted run, faults without a witness, missing files."""
    gaps = [f"{gap}." for gap in recording.gaps if not gap.startswith(f"{rundir.VERDICT} is missing")]
    missed = [
        f"Fault {fault.number} ({fault.label}) {said}: {fault.text or 'it has no witness'}."
        for fault in recording.faults
        if (said := _missed(fault))
    ]
    return list(filter(None, [recording.unfinished, *missed, *gaps]))


def _missed(fault: RecordedFault) -> str:
    """A warning for a fault that was not witnessed; "" for one that landed."""
    if fault.began == NEVER:
        return "was never injected"
    return "" if fault.landed else _LANDED[fault.landed][1]
