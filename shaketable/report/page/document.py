"""A page as one offline file: a template and a style sheet, with escaped text and a policy without network access.

`render` makes all pages. A template extends `base.html`, which draws the `header`, fills the block `main`, and uses the
macros of `parts.html`: `badge`, `rows`, `grid`, `wide`, `commands`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from shaketable.report.page.embed import policy
from shaketable.text import number, visible

TEMPLATES = Path(__file__).parents[1] / "templates"


def render(
    template: str, scripts: Sequence[str] = (), folder: Path = TEMPLATES, connect: str = "'none'", **shown: object
) -> str:
    """Render a page; a template from another folder may extend these templates.

    connect: the server that its scripts may ask, as a source of the policy; none for a file.
    """
    found = _environment(folder).get_template(template)
    return found.render(policy=policy(scripts, connect), scripts=scripts, style=source("style.css"), **shown)


def source(name: str) -> str:
    """A file in the templates' folder, unchanged."""
    return (TEMPLATES / name).read_text(encoding="utf-8")


@cache
def _environment(folder: Path) -> Environment:
    """All output of a template passes `_harmless` and is then escaped."""
    made = Environment(
        loader=FileSystemLoader([folder, TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["number"] = number
    return made


def _harmless(value: object) -> object:
    """Markup of the page's own code unchanged; other text with visible control characters."""
    return value if isinstance(value, Markup) else visible(str(value))
