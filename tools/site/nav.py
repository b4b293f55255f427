"""The navigation of the site: the four kinds of docs/README.md, in its order."""

from __future__ import annotations

import re

KIND = re.compile(r"^## ([^:\n]+)", re.M)
ENTRY = re.compile(r"^(?:-|\d\.) \[[^\]]+\]\(([^)]+)\)", re.M)
#: A section with its pages, or one page with a title of its own.
Nav = list[dict[str, str | list[str]]]


def nav(index: str) -> Nav:
    """The sections of the index of docs, each with the paths of its pages."""
    _, *parts = KIND.split(index)
    kinds: Nav = [
        {kind: [f"docs/{path if path.endswith('.md') else path + '.md'}" for path in ENTRY.findall(listed)]}
        for kind, listed in zip(parts[::2], parts[1::2], strict=True)
    ]
    return [{"Home": "index.md"}, {"All pages": "docs/index.md"}, *kinds]
