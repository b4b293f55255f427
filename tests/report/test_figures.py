"""The figures: what is not known is not drawn, and all tracks move together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from bokeh.models.annotations.geometry import BoxAnnotation

from shaketable.report.page import tracks
from shaketable.report.page.figures import draw
from shaketable.report.page.recording import Recording
from shaketable.rundir import RunDir
from tests.support.book import Part
from tests.support.histories import breaker, every, fault, probe, run_of, sent


def figures_of(folder: Path, *parts: Part) -> dict[str, Any]:
    return draw(tracks.of(Recording.load(run_of(parts, folder))))


def watched_half() -> list[Part]:
    """Somebody looked for the first half of the run, and the target was mute for a moment."""
    readings = [probe(at, stored=at * 10) for at in every(0.5, 0, 50)]
    return [sent("a").acknowledged(1), *readings, probe(20.1, 20.2, answered=False, health=None)]


def columns(folder: Path) -> dict[str, Any]:
    return dict(figures_of(folder, *watched_half())["health"].renderers[0].data_source.data)


def test_area_falls_to_its_floor_where_nobody_looked(tmp_path: Path) -> None:
    found = columns(tmp_path)
    unknown = np.isnan(found["stored_shown"])
    assert unknown.any()
    assert (found["stored_shown_area"][unknown] == 1).all()
    assert (found["health_area"][np.isnan(found["health"])] == 0).all()


def test_silence_is_marked_where_it_was(tmp_path: Path) -> None:
    found = columns(tmp_path)
    silent = found["x"][np.flatnonzero(found["mute_area"])]
    assert (silent.min(), silent.max()) == (20, 20.25)


def test_all_tracks_share_one_time_axis(tmp_path: Path) -> None:
    made = figures_of(tmp_path, *watched_half(), breaker((0, "CLOSED")), fault(20, 30))
    assert list(made) == ["strip", "rate", "latency", "backlog", "stored", "health", "breaker"]
    assert len({track.x_range.id for track in made.values()}) == 1


def test_lowest_track_alone_shows_the_time(tmp_path: Path) -> None:
    made = figures_of(tmp_path, *watched_half())
    assert [track.xaxis[0].visible for track in made.values()] == [False] * (len(made) - 1) + [True]


def test_faults_are_bands_behind_every_track(tmp_path: Path) -> None:
    made = figures_of(tmp_path, *watched_half(), fault(20, 30), fault(40, 45))
    for name, track in made.items():
        bands = [(band.left, band.right) for band in track.center if isinstance(band, BoxAnnotation)]
        assert bands == ([] if name == "strip" else [(20, 30), (40, 45)])


def test_run_of_which_nothing_is_known_has_no_figures(tmp_path: Path) -> None:
    (tmp_path / "scenario.json").write_text("{}")
    assert draw(tracks.of(Recording.load(RunDir(tmp_path)))) == {}
