"""The tracks as linked Bokeh figures; their models contain only binned numbers and sanitised labels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shaketable.report.page import theme
from shaketable.report.page.bins import Floats
from shaketable.report.page.bokeh_models import (
    BasicTicker,
    BoxAnnotation,
    ColumnDataSource,
    FixedTicker,
    NumeralTickFormatter,
    Span,
)
from shaketable.report.page.rows import breakers, strip
from shaketable.report.page.theme import AMBER, BLUE, GREY, PURPLE, RED, TEAL, Axis
from shaketable.report.page.tracks import ILL, Tracks, lowest, peak

#: Columns of the common source of all numeric tracks.
COLUMNS = ("offered", "acknowledged", "p50", "p99", "backlog", "stored", "health", "silent", "honest", "lie")
#: Columns that are drawn with an area.
AREAS = ("acknowledged", "backlog", "stored_shown", "health", "mute")
#: Height of the bar for a target that did not answer; a health of 0 would look like a missing line.
MUTE = 6
HEIGHT = 104
_DECADES = {0.1: "0.1 ms", 1: "1 ms", 10: "10 ms", 100: "100 ms", 1e3: "1 s", 1e4: "10 s", 1e5: "100 s", 1e6: "1,000 s"}
_RATES = {1: "1", 10: "10", 100: "100", 1e3: "1,000", 1e4: "10,000", 1e5: "100,000"}


def draw(tracks: Tracks) -> dict[str, Any]:
    """One figure per recorded track, by name, from top to bottom."""
    axis, source = Axis(tracks.end), _source(tracks)
    made = {
        "strip": strip(axis, tracks),
        "rate": _rate(axis, source, tracks),
        "latency": _latency(axis, source, tracks),
        "backlog": _backlog(axis, source, tracks),
        "stored": _stored(axis, source, tracks),
        "health": _health(axis, source, tracks),
        "breaker": breakers(axis, tracks),
    }
    found = {name: track for name, track in made.items() if track is not None}
    for name, track in found.items():
        if name != "strip":
            _bands(track, tracks)
    for track in list(found.values())[-1:]:
        _show_time(track)
    return found


def _source(tracks: Tracks) -> ColumnDataSource:
    """Two rows per bin, for its start and end, so that a bin between unknown ones is still drawn."""
    columns = {name: values for name in COLUMNS if (values := getattr(tracks, name)) is not None}
    floors = dict.fromkeys(AREAS, 0.0)
    if tracks.stored is not None:
        floors["stored_shown"] = _floor(tracks.stored)
        columns["stored_shown"] = np.maximum(tracks.stored, floors["stored_shown"])
    if tracks.silent is not None:
        columns["mute"] = tracks.silent * MUTE
    drawn = {name: np.repeat(values, 2).astype(np.float32) for name, values in columns.items()}
    edges = np.repeat(np.minimum(tracks.bins.edges, tracks.end), 2)[1:-1]
    return ColumnDataSource({"x": edges, **drawn, **_filled(drawn, floors)}, name="bins")


def _filled(drawn: dict[str, Any], floors: dict[str, float]) -> dict[str, Any]:
    """The columns of areas: an area would bridge unknown values, so it falls to its floor there."""
    return {f"{name}_area": np.nan_to_num(drawn[name], nan=floor) for name, floor in floors.items() if name in drawn}


def _floor(rates: Floats) -> float:
    """The position of 0 on a logarithmic axis: below the lowest rate."""
    return 1.0 if (lowest(rates[rates > 0]) or 10) > 1 else 0.1


def _rate(axis: Axis, source: ColumnDataSource, tracks: Tracks) -> Any:
    if tracks.offered is None and tracks.acknowledged is None:
        return None
    made = _numbers(axis, "rate", max(peak(tracks.offered) or 0, peak(tracks.acknowledged) or 0))
    if tracks.acknowledged is not None:
        _fill(made, source, "acknowledged", BLUE)
    if tracks.offered is not None:
        made.line("x", "offered", source=source, color=GREY, line_width=1.5)
    return made


def _latency(axis: Axis, source: ColumnDataSource, tracks: Tracks) -> Any:
    low, high = lowest(tracks.p50), peak(tracks.p99)
    if low is None or high is None:
        return None
    bottom, top = 10 ** math.floor(math.log10(low * 0.9)), 10 ** math.ceil(math.log10(high * 1.1))
    made = axis.frame("latency", HEIGHT, (bottom, top), y_axis_type="log")
    made.yaxis.ticker = FixedTicker(ticks=[tick for tick in _DECADES if bottom <= tick <= top])
    made.yaxis.major_label_overrides = _DECADES
    made.line("x", "p99", source=source, color=PURPLE, line_width=1.5)
    made.line("x", "p50", source=source, color=BLUE, line_width=1.5)
    return made


def _backlog(axis: Axis, source: ColumnDataSource, tracks: Tracks) -> Any:
    if (most := peak(tracks.backlog)) is None:
        return None
    made = _numbers(axis, "backlog", most)
    _fill(made, source, "backlog", AMBER)
    return made


def _stored(axis: Axis, source: ColumnDataSource, tracks: Tracks) -> Any:
    """Logarithmic, since a backlog drains many times faster than events arrive."""
    if (most := peak(tracks.stored)) is None:
        return None
    floor = _floor(tracks.stored) if tracks.stored is not None else 1.0
    made = axis.frame("stored", HEIGHT, (floor, max(most, 10) * 1.3), y_axis_type="log")
    made.yaxis.ticker = FixedTicker(ticks=[floor, *(tick for tick in _RATES if tick > floor)])
    made.yaxis.major_label_overrides = {**_RATES, floor: "0"}
    _fill(made, source, "stored_shown", TEAL, floor)
    return made


def _health(axis: Axis, source: ColumnDataSource, tracks: Tracks) -> Any:
    if peak(tracks.health) is None:
        return None
    made = axis.frame("health", HEIGHT, (0, 105))
    made.yaxis.ticker = FixedTicker(ticks=[0, ILL, 100])
    _fill(made, source, "health", TEAL)
    if tracks.silent is not None:
        made.varea("x", y1=0, y2="mute_area", source=source, color=RED, alpha=0.35)
    if tracks.honest is not None:
        made.varea("x", y1=ILL, y2="lie", source=source, color=RED, alpha=0.3, hatch_pattern="/", hatch_color=RED)
        made.line("x", "honest", source=source, color=GREY, line_width=2, line_dash=[6, 3])
    made.add_layout(Span(location=ILL, dimension="width", line_color=RED, line_dash=[4, 4], line_width=1))
    return made


def _numbers(axis: Axis, name: str, most: float) -> Any:
    made = axis.frame(name, HEIGHT, (0, max(most * 1.08, 1)))
    made.yaxis.ticker = BasicTicker(desired_num_ticks=3, min_interval=1)
    made.yaxis.formatter = NumeralTickFormatter(format="0,0.[0]")
    return made


def _fill(made: Any, source: ColumnDataSource, name: str, colour: str, floor: float = 0) -> None:
    made.varea("x", y1=floor, y2=f"{name}_area", source=source, color=colour, alpha=0.2)
    made.line("x", name, source=source, color=colour, line_width=1.5)


def _bands(made: Any, tracks: Tracks) -> None:
    for fault in tracks.faults:
        made.add_layout(
            BoxAnnotation(
                left=fault.begin,
                right=fault.end,
                fill_color=fault.colour,
                level="underlay",
                fill_alpha=theme.BAND,
                line_color=None,
            )
        )


def _show_time(made: Any) -> None:
    """Show the time axis at the lowest track."""
    made.xaxis.visible = True
    made.xaxis.formatter = NumeralTickFormatter(format="0,0.[0]")
    made.height += 22
