"""The pages of the site: the README, the docs, and each file of the repository that they link to, at any depth.

A page keeps its place in the repository, so its links lead where they lead on a code host. A source file becomes a page
with its text, a folder becomes its README or a list of its files, and `README.md` is the index of its folder.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"(?<=\]\()(?!https?:|mailto:|#)([^)\s#]+)(#[^)\s]*)?(?=\))")
FENCED = re.compile(r"^(```.*?^```)", re.S | re.M)
IMAGES = {".svg", ".png"}
LANGUAGES = {".yml": "yaml", ".mjs": "js", ".lock": "text", ".in": "text"}
#: Source pages are for readers who follow a link: a search finds the docs.
UNSEARCHED = "---\nsearch:\n  exclude: true\n---\n\n"


def pages(root: Path = ROOT) -> dict[PurePosixPath, bytes]:
    """Every file of the site's content, by its place there. Raises FileNotFoundError for a link that leads nowhere."""
    found: dict[PurePosixPath, bytes] = {}
    waiting = [root / "README.md", *sorted((root / "docs").rglob("*.md"))]
    while waiting:
        path = waiting.pop()
        place = placed(path, root)
        if place not in found:
            found[place], links = content(path, root)
            waiting += links
    return found


def placed(path: Path, root: Path) -> PurePosixPath:
    """Where a file or folder of the repository is in the site's content; a generator leaves out dotted names."""
    parts = [part.lstrip(".") for part in path.relative_to(root).parts]
    if path.is_dir():
        return PurePosixPath(*parts, "index.md")
    if path.name == "README.md":
        return PurePosixPath(*parts[:-1], "index.md")
    return PurePosixPath(*parts[:-1], parts[-1] + ("" if path.suffix in IMAGES | {".md"} else ".md"))


def content(path: Path, root: Path) -> tuple[bytes, list[Path]]:
    """The content of a page, and the files that it links to."""
    if path.is_dir() and (path / "README.md").is_file():
        path = path / "README.md"
    if path.is_dir():
        listed = "\n".join(f"- [{each.name}]({each.name})" for each in sorted(path.iterdir()) if each.is_file())
        return rewritten(f"{UNSEARCHED}# {path.relative_to(root)}\n\n{listed}\n", path, root)
    if path.suffix == ".md":
        return rewritten(path.read_text(), path.parent, root)
    return (path.read_bytes() if path.suffix in IMAGES else source(path, root).encode()), []


def rewritten(text: str, folder: Path, root: Path) -> tuple[bytes, list[Path]]:
    """Markdown whose links lead to pages of the site, and the files that it links to; a code block stays as it is."""
    links: list[Path] = []
    at = placed(folder, root).parent

    def to_page(match: re.Match[str]) -> str:
        path = Path(os.path.normpath(folder / match[1]))
        if not path.exists() or not path.is_relative_to(root):
            raise FileNotFoundError(f"{folder.relative_to(root)}: the link {match[1]} leads to no file here")
        links.append(path)
        return os.path.relpath(placed(path, root), at) + (match[2] or "")

    return outside_code(lambda part: LINK.sub(to_page, part), text).encode(), links


def outside_code(change: Callable[[str], str], text: str) -> str:
    """Apply a change to Markdown outside of its code blocks."""
    return "".join(part if part.startswith("```") else change(part) for part in FENCED.split(text))


def source(path: Path, root: Path) -> str:
    """A page with the text of a source file."""
    text = path.read_text()
    fence = "`" * max([2, *map(len, re.findall(r"`+", text))]) + "`"
    language = LANGUAGES.get(path.suffix, path.suffix[1:])
    return f"{UNSEARCHED}# `{path.relative_to(root)}`\n\n{fence}{language}\n{text.rstrip()}\n{fence}\n"
