"""Colours of the tracks, legible on light and dark, and the frame of every track.

The page's script sets colours that differ between light and dark (ink) from the style sheet, on models with one of the
tags below.
"""

from __future__ import annotations

from typing import Any

from bokeh.core.properties import value

from shaketable.report.page.bokeh_models import CrosshairTool, Range1d, Span, figure

BLUE, PURPLE, AMBER, TEAL, GREY = "#3b82d6", "#9a6dd7", "#cf8a2e", "#219c7d", "#8b95a5"
#: By breaker state: the colour, and the bar's height as a share of the row, a second distinction in addition to colour.
STATES = {"CLOSED": ("#46a37c", 0.22), "HALF_OPEN": ("#e2a72e", 0.62), "OPEN": ("#d9534f", 1.0)}
UNKNOWN_STATE = (GREY, 0.4)
RED = STATES["OPEN"][0]

#: Tags: text in the ink colour; the line at the event of the open trace.
INK, MARK = "ink", "mark"
#: Pixels left and right of every track, so that all time axes are aligned.
LEFT, RIGHT = 58, 10
#: Opacity of a fault's band behind a track.
BAND = 0.13
FONT = "system-ui, sans-serif"
#: The font for glyphs, which treat a plain string as a column name.
GLYPH_FONT = value(FONT)


class Axis:
    """The common time axis of all tracks: one range, one crosshair."""

    def __init__(self, end: float) -> None:
        self.end = end
        self.range = Range1d(start=0, end=end, bounds=(0, end), min_interval=min(1.0, end), name="time")
        self.hair = CrosshairTool(overlay=Span(dimension="height", line_color=GREY, line_width=1))

    def frame(self, name: str, height: int, y_range: tuple[float, float], **options: Any) -> Any:
        """An empty track without a toolbar; drag to zoom, double-click to reset."""
        low, high = y_range
        made = figure(
            name=name,
            height=height,
            x_range=self.range,
            y_range=Range1d(start=low, end=high),
            toolbar_location=None,
            tools="xbox_zoom",
            active_drag="xbox_zoom",
            sizing_mode="stretch_width",
            min_border_left=LEFT,
            min_border_right=RIGHT,
            min_border_top=5,
            min_border_bottom=9,
            background_fill_color=None,
            border_fill_color=None,
            outline_line_color=None,
            **options,
        )
        made.add_tools(self.hair)
        made.add_layout(Span(location=0, dimension="height", line_width=1.5, visible=False, tags=[MARK]))
        _bare(made)
        return made


def _bare(made: Any) -> None:
    made.axis.axis_line_color = None
    made.axis.major_tick_line_color = None
    made.axis.minor_tick_line_color = None
    made.axis.major_label_text_font = FONT
    made.axis.major_label_text_font_size = "11px"
    made.xaxis.visible = False
    made.grid.grid_line_color = GREY
    made.grid.grid_line_alpha = 0.18
