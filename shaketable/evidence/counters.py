"""The counters that a process of the target shows to Prometheus."""

from __future__ import annotations

import re
from collections.abc import Mapping

from shaketable.target.bounded_http import NoResponse, get
from shaketable.target.instance import Instance
from shaketable.target.metrics_table import MetricsTable

#: Timeout of a request in seconds.
ANSWER_S = 1.0
#: A line `name{labels} value`; a timestamp, or an exemplar with labels of its own, may follow. The parser of
#: prometheus-client would be no shorter here, and it refuses a whole answer for one malformed line.
_SAMPLE = re.compile(
    r'^([A-Za-z_:][A-Za-z0-9_:]*)(?:\{(?:[^"}\n]|"(?:\\.|[^"\\\n])*")*\})? +([0-9.eE+-]+)', re.MULTILINE
)


def read(instance: Instance, table: MetricsTable) -> dict[str, float] | None:
    """The named counters of a process by their names in the manifest; None when it does not answer."""
    try:
        answer = get(f"http://127.0.0.1:{instance.port}{table.path}", ANSWER_S)
    except NoResponse:
        return None
    return parsed(answer.text, {name: series for name, series in table.series.items() if series})


def parsed(text: str, series: Mapping[str, str]) -> dict[str, float]:
    """The sum over all labels of each series; one that is missing, or no number, is left out."""
    found: dict[str, float] = {}
    names = {of: name for name, of in series.items()}
    for sample, value in _SAMPLE.findall(text):
        if (name := names.get(sample)) is not None:
            try:
                found[name] = found.get(name, 0.0) + float(value)
            except ValueError:
                found.pop(name, None)
    return found
