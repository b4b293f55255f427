"""The tracks with spans: phases and faults at the top, the breakers' states at the bottom."""

from __future__ import annotations

from typing import Any

from shaketable.report.page.bokeh_models import ColumnDataSource, Label
from shaketable.report.page.spans import DrawnSpan
from shaketable.report.page.theme import FONT, GLYPH_FONT, GREY, INK, STATES, UNKNOWN_STATE, Axis
from shaketable.report.page.tracks import Tracks

#: Pixels of a row with a name, and of a breaker's row.
ROW, BREAKER_ROW = 24, 34


def strip(axis: Axis, tracks: Tracks) -> Any:
    """The phases in one row, the faults above; the page's script shortens labels that do not fit."""
    if not tracks.phases and not tracks.faults:
        return None
    rows = 1 + max((fault.row + 1 for fault in tracks.faults), default=0)
    made = axis.frame("strip", rows * ROW + 8, (0, rows))
    made.yaxis.visible = False
    made.grid.grid_line_color = None
    shades = [DrawnSpan(p.begin, p.end, p.label, GREY) for p in tracks.phases]
    _blocks(made, shades, 0, [0.10 + 0.12 * (i % 2) for i in range(len(shades))])
    _blocks(made, tracks.faults, 1, [0.30] * len(tracks.faults))
    return made


def _blocks(made: Any, spans: list[DrawnSpan], above: int, alphas: list[float]) -> None:
    names = [span.label for span in spans]
    source = ColumnDataSource(
        {
            "left": [span.begin for span in spans],
            "right": [span.end for span in spans],
            "bottom": [above + span.row + 0.06 for span in spans],
            "top": [above + span.row + 0.94 for span in spans],
            "middle": [above + span.row + 0.5 for span in spans],
            "colour": [span.colour for span in spans],
            "alpha": alphas,
            "full": names,
            "shown": names,
            "from": [max(0.0, span.begin) for span in spans],
        },
        tags=["fit"],
    )
    made.quad("left", "right", "top", "bottom", source=source, fill_color="colour", fill_alpha="alpha", line_color=None)
    made.text(
        "from",
        "middle",
        "shown",
        source=source,
        text_font_size="11px",
        text_baseline="middle",
        x_offset=5,
        text_font=GLYPH_FONT,
        tags=[INK],
    )


def breakers(axis: Axis, tracks: Tracks) -> Any:
    """One row per process with a breaker; the bar is higher the more open the breaker is."""
    if not tracks.breakers:
        return None
    made = axis.frame("breaker", len(tracks.breakers) * BREAKER_ROW + 8, (0, len(tracks.breakers)))
    made.yaxis.visible = False
    made.ygrid.grid_line_color = None
    for row, (process, states) in enumerate(reversed(tracks.breakers.items())):
        _states(made, states, row)
        made.add_layout(
            Label(
                x=4,
                y=row + 0.93,
                x_units="screen",
                text=process,
                text_font_size="11px",
                tags=[INK],
                text_baseline="top",
                text_font=FONT,
            )
        )
    return made


def _states(made: Any, states: list[DrawnSpan], row: int) -> None:
    """Fill the lower half of the row, below the name."""
    looks = [STATES.get(state.label, UNKNOWN_STATE) for state in states]
    source = ColumnDataSource(
        {
            "left": [state.begin for state in states],
            "right": [state.end for state in states],
            "top": [row + 0.06 + 0.5 * share for _, share in looks],
            "colour": [colour for colour, _ in looks],
        }
    )
    made.quad(
        "left",
        "right",
        "top",
        row + 0.06,
        source=source,
        fill_color="colour",
        fill_alpha=0.85,
        line_color="colour",
        line_width=1.5,
        line_alpha=0.85,
    )
