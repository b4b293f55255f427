"""The legend above each track: its title, and for each line a name, a colour and an extreme value."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from shaketable.report.page.theme import AMBER, BLUE, GREY, PURPLE, RED, STATES, TEAL
from shaketable.report.page.tracks import HONEST, ILL, Tracks, lowest, peak
from shaketable.text import number, seconds


@dataclass(frozen=True)
class LegendLine:
    """One line of a track; the page's script uses `column` and `unit` to show the value under the pointer."""

    name: str
    colour: str
    column: str = ""
    unit: str = ""
    rest: str = ""  # shown without a pointer
    words: str = ""  # JSON: the meanings of its values


@dataclass(frozen=True)
class Track:
    """A track on the page; `place` is the placeholder of its figure."""

    name: str
    title: str
    about: str
    lines: list[LegendLine] = field(default_factory=list)
    place: str = ""
    absent: str = ""


def legend(tracks: Tracks, places: dict[str, str]) -> list[Track]:
    """All tracks from top to bottom, including absent ones with the reason."""

    def line(name: str, colour: str, column: str, unit: str = "", low: bool = False) -> LegendLine:
        values = getattr(tracks, column)
        extreme = lowest(values) if low else peak(values)
        rest = f"{'lowest' if low else 'most'} {number(_rounded(extreme))}{unit}" if extreme is not None else ""
        return LegendLine(name, colour, column, unit, rest)

    told = [
        Track("strip", "Phases and faults", "drag to zoom all tracks, double-click to go back"),
        Track(
            "rate",
            "Intake",
            "events a second: offered by the intended time, acknowledged by that of the answer",
            [line("offered", GREY, "offered", "/s"), line("acknowledged", BLUE, "acknowledged", "/s")],
        ),
        Track(
            "latency",
            "Intake latency",
            "from the intended time to the first acknowledgement, logarithmic",
            [line("p50", BLUE, "p50", " ms"), line("p99", PURPLE, "p99", " ms")],
        ),
        Track("backlog", "Backlog", "accepted, not yet stored", [line("entries", AMBER, "backlog")]),
        Track("stored", "Stored", "rows a second, logarithmic", [line("stored", TEAL, "stored", "/s")]),
        Track(
            "health",
            "Health",
            "as the target reports it; 70 or less is unhealthy, red below means no answer",
            [line("score", TEAL, "health", low=True), *_honest(tracks)],
        ),
        Track(
            "breaker",
            "Circuit breakers",
            "by process",
            [LegendLine(name.lower().replace("_", "-"), colour) for name, (colour, _) in STATES.items()],
        ),
    ]
    return [
        Track(track.name, track.title, track.about, track.lines, places.get(track.name, ""), _ABSENT[track.name])
        for track in told
    ]


def _honest(tracks: Tracks) -> list[LegendLine]:
    """The line of an honest score, and the duration of a dishonest one."""
    if tracks.honest is None:
        return []
    words = json.dumps({f"{value:g}": said for value, said in HONEST_IS.items()})
    lied = LegendLine("not honest for", RED, rest=seconds(tracks.lied_s))
    return [LegendLine("an honest one", GREY, "honest", rest=" ", words=words), *([lied] if tracks.lied_s else [])]


#: The meanings of the line of an honest score.
HONEST_IS = {HONEST[True]: f"above {ILL}", HONEST[False]: f"at most {ILL}"}
_ABSENT = {
    "strip": "No phase after the preparation was entered.",
    "rate": "Neither a schedule nor a journal of the load was found.",
    "latency": "No acknowledgement was recorded.",
    "backlog": "No reading of the backlog: the manifest does not name the queue, or no probe ran.",
    "stored": "No reading of the store.",
    "health": "No reading of the health score.",
    "breaker": "No breaker transitions were recorded.",
}


def _rounded(value: float) -> float:
    return round(value, 1) if value < 10 else float(round(value))
