"""A page as one offline file: a template, the house's style, all text escaped, a policy that reaches nobody.

Every page of ours is made by `render`. Its template extends `base.html`, fills the blocks `title` and `main`, and takes
what pages share from `parts.html`: `badge`, `rows`, `grid`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from shaketable.report.page.embed import policy
from shaketable.text import visible

TEMPLATES = Path(__file__).parents[1] / "templates"


def render(template: str, scripts: Sequence[str] = (), folder: Path = TEMPLATES, **shown: object) -> str:
    """The whole page; a template from another folder may extend ours."""
    found = _environment(folder).get_template(template)
    return found.render(policy=policy(scripts), scripts=scripts, style=source("style.css"), **shown)


def source(name: str) -> str:
    """A file beside the templates, as it is."""
    return (TEMPLATES / name).read_text(encoding="utf-8")


@cache
def _environment(folder: Path) -> Environment:
    """Everything that a template shows goes through `_harmless` and is then escaped."""
    return Environment(
        loader=FileSystemLoader([folder, TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _harmless(value: object) -> object:
    """What the page's own code made safe as it is; all other text with its invisible characters shown."""
    return value if isinstance(value, Markup) else visible(str(value))
