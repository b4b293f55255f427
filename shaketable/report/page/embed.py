"""Everything that the page runs, inline, and the policy that lets it run nothing else and reach nobody."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from bokeh.embed import components
from bokeh.resources import Resources


class Embedded(NamedTuple):
    """Scripts in order, and a place for each lane."""

    scripts: list[str]
    places: dict[str, str]  # HTML by lane


def embed(lanes: dict[str, Any], own: Sequence[str]) -> Embedded:
    """BokehJS (its core alone: no MathJax, no widgets), the lanes, and the page's `own` scripts after them."""
    if not lanes:
        return Embedded([_inert(each) for each in own], {})
    library = Resources(mode="inline", components=["bokeh"], log_level="error").js_raw
    script, places = components(lanes, wrap_script=False)
    return Embedded([_inert(each) for each in (*library, script, *own)], places)


def _inert(script: str) -> str:
    """The script with nothing in it that would end its element; inside a string both spellings are the same."""
    return re.sub(r"<(?=/script|!--)", r"\\x3c", script, flags=re.IGNORECASE)


def policy(scripts: Sequence[str]) -> str:
    """Only these very scripts may run, nothing may be loaded or sent: even if foreign text got past all escaping."""
    hashes = " ".join(f"'sha256-{_digest(script)}'" for script in scripts) or "'none'"
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
