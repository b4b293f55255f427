"""The names of bokeh that draw, imported in two thirds of the time.

bokeh gives each of its 480 models a signature, which only documentation reads: 0.3 CPU seconds of every run.
"""

from __future__ import annotations

from unittest.mock import patch

from bokeh.model.model import Model

with patch.object(Model, "parameters", classmethod(lambda _: [])):
    from bokeh.models import BasicTicker, ColumnDataSource, CrosshairTool, FixedTicker, NumeralTickFormatter, Range1d
    from bokeh.models.annotations.geometry import BoxAnnotation, Span
    from bokeh.models.annotations.labels import Label

from bokeh.plotting import figure  # whose methods do read the parameters of glyphs

__all__ = [
    "BasicTicker",
    "BoxAnnotation",
    "ColumnDataSource",
    "CrosshairTool",
    "FixedTicker",
    "Label",
    "NumeralTickFormatter",
    "Range1d",
    "Span",
    "figure",
]
