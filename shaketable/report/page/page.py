"""report.html: one offline file with the verdict, the tracks and the evidence."""

from __future__ import annotations

from pathlib import Path

from shaketable import rundir
from shaketable.report.page import anomalies, document, legend, sections, sentence, theme
from shaketable.report.page import tracks as binned
from shaketable.report.page.embed import embed
from shaketable.report.page.figures import draw
from shaketable.report.page.header import Header, Tile
from shaketable.report.page.recording import Recording
from shaketable.report.page.tracks import Tracks
from shaketable.rundir import RunDir

REPORT = "report.html"
#: The page's own scripts, in order: the tracks and the traces depend on the axis.
SCRIPTS = ("axis.js", "tracks.js", "lives.js")


def report(run: RunDir) -> Path:
    """Write the page of a run, also of an unfinished one, and return its path. Raises HarnessError."""
    path = run / REPORT
    with rundir.whole(path) as out:
        out.write(html(Recording.load(run)).encode())
    return path


def html(recording: Recording) -> str:
    """The page as HTML."""
    tracks = binned.of(recording)
    embedded = embed(draw(tracks), [document.source(name) for name in SCRIPTS])
    return document.render(
        "report.html",
        embedded.scripts,
        header=_header(recording, tracks),
        run=recording.name,
        tracks=legend.legend(tracks, embedded.places),
        spans=tracks,
        events=anomalies.rows(recording.verdict, tracks.end),
        left=theme.LEFT,
        right=theme.RIGHT,
        bin=tracks.bins.width,
        checks=sections.checks(recording.verdict),
        faults=sections.faults(recording),
        lives=sections.traces(recording.verdict),
        durability=sections.durability(recording.verdict),
        figures=sections.figures(recording.verdict),
        asked=sections.asked(recording),
        surroundings=sections.surroundings(recording),
        again=sections.again(recording),
    )


def _header(recording: Recording, tracks: Tracks) -> Header:
    name, target = recording.scenario.name, sections.target(recording)
    figures = [Tile(name, value) for name, value in sections.headline(recording, tracks)]
    return Header(
        sentence.verdict(recording.verdict),
        name,
        sentence.sentence(recording.verdict),
        crumbs=[f"{name} on {target}" if target else name],
        when=sections.when(recording),
        story=recording.scenario.story,
        gaps=sections.missing(recording),
        tiles=[*anomalies.tiles(recording.verdict), *figures],
    )
