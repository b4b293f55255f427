"""Inline scripts, and the policy that permits only them, without network access."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from bokeh.document import Document
from bokeh.embed import components
from bokeh.resources import Resources


class Embedded(NamedTuple):
    """Scripts in order, and a placeholder for each track."""

    scripts: list[str]
    places: dict[str, str]  # HTML by track


def embed(tracks: dict[str, Any], own: Sequence[str]) -> Embedded:
    """BokehJS (only its core: no MathJax, no widgets), the tracks, and then the page's `own` scripts."""
    if not tracks:
        return Embedded([_inert(each) for each in own], {})
    library = Resources(mode="inline", components=["bokeh"], log_level="error").js_raw
    document = Document()
    with document.models.freeze():  # all models are searched once, not after each track
        for track in tracks.values():
            document.add_root(track)
    script, places = components(tracks, wrap_script=False)
    return Embedded([_inert(each) for each in (*library, script, *own)], places)


def _inert(script: str) -> str:
    """Escape sequences that would end the script element; inside a string both spellings are equal."""
    return re.sub(r"<(?=/script|!--)", r"\\x3c", script, flags=re.IGNORECASE)


def policy(scripts: Sequence[str], connect: str = "'none'") -> str:
    """Permit only these scripts, and no loading or sending: a second defence after escaping."""
    hashes = " ".join(f"'sha256-{_digest(script)}'" for script in scripts) or "'none'"
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; "
        f"connect-src {connect}; base-uri 'none'; form-action 'none'"
    )


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
