"""report.html: one file that opens offline; the verdict first, then the lanes, then the evidence."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from shaketable import rundir
from shaketable.report import lanes as binned
from shaketable.report import legend, sections, sentence
from shaketable.report.embed import embed, policy
from shaketable.report.figures import draw
from shaketable.report.recording import Recording
from shaketable.report.wording import visible
from shaketable.rundir import RunDir

REPORT = "report.html"


def _harmless(value: object) -> object:
    """What the page's own code made safe as it is; all other text with its invisible characters shown."""
    return value if isinstance(value, Markup) else visible(str(value))


#: Everything that a template shows goes through `_harmless` and is then escaped.
_TEMPLATES = Environment(
    loader=PackageLoader("shaketable.report", "templates"), autoescape=True, undefined=StrictUndefined,
    finalize=_harmless, trim_blocks=True, lstrip_blocks=True,
)  # fmt: skip


def report(run: RunDir) -> Path:
    """Write the page of a run, a half-finished one too, and return where it is. Raises HarnessError."""
    path = run / REPORT
    with rundir.whole(path) as out:
        out.write(html(Recording.load(run)).encode())
    return path


def html(recording: Recording) -> str:
    """The whole page."""
    lanes = binned.of(recording)
    embedded = embed(draw(lanes), _source("report.js"))
    return _TEMPLATES.get_template("report.html").render(
        policy=policy(embedded.scripts), scripts=embedded.scripts, style=_source("style.css"),
        verdict=sentence.verdict(recording.verdict), sentence=sentence.sentence(recording.verdict),
        story=recording.scenario.story, name=recording.scenario.name, run=recording.name,
        target=sections.target(recording), when=sections.when(recording), missing=sections.missing(recording),
        headline=sections.headline(recording, lanes), lanes=legend.legend(lanes, embedded.places), spans=lanes,
        bin=lanes.bins.width, checks=sections.checks(recording.verdict), faults=sections.faults(recording),
        lives=sections.lives(recording.verdict), figures=sections.figures(recording.verdict),
        asked=sections.asked(recording), surroundings=sections.surroundings(recording), again=sections.again(recording),
    )  # fmt: skip


def _source(name: str) -> str:
    """A file beside the templates, as it is."""
    return (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")
