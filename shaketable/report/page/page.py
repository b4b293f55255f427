"""report.html: one offline file with the verdict, the tracks and the evidence."""

from __future__ import annotations

from pathlib import Path

from shaketable import rundir
from shaketable.report.page import anomalies, document, legend, sections, sentence, theme
from shaketable.report.page import tracks as binned
from shaketable.report.page.embed import embed
from shaketable.report.page.figures import draw
from shaketable.report.page.recording import Recording
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
        verdict=sentence.verdict(recording.verdict),
        sentence=sentence.sentence(recording.verdict),
        story=recording.scenario.story,
        name=recording.scenario.name,
        run=recording.name,
        target=sections.target(recording),
        when=sections.when(recording),
        missing=sections.missing(recording),
        wrong=[(fate, total) for fate, total in anomalies.totals_of(recording.verdict).items() if total],
        headline=sections.headline(recording, tracks),
        tracks=legend.legend(tracks, embedded.places),
        spans=tracks,
        events=anomalies.rows(recording.verdict, tracks.end),
        left=theme.LEFT,
        right=theme.RIGHT,
        bin=tracks.bins.width,
        checks=sections.checks(recording.verdict),
        faults=sections.faults(recording),
        lives=sections.traces(recording.verdict),
        figures=sections.figures(recording.verdict),
        asked=sections.asked(recording),
        surroundings=sections.surroundings(recording),
        again=sections.again(recording),
    )
