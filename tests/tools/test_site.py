"""The documentation site: every link leads to a page of it, and nothing is loaded from outside."""

from __future__ import annotations

import os
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import pytest

from tools.site.build import build, installed
from tools.site.nav import nav
from tools.site.pages import ROOT, pages

LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href", "object": "data"}


def test_every_page_of_the_docs_is_a_page_of_the_site_and_each_link_leads_to_one() -> None:
    found = pages()
    docs = {PurePosixPath("docs", path.name) for path in (ROOT / "docs").glob("*.md") if path.name != "README.md"}
    assert docs | {PurePosixPath("index.md"), PurePosixPath("docs/index.md")} <= set(found)
    assert PurePosixPath("shaketable/faults/fault.py.md") in found
    for place, content in found.items():
        if place.suffix == ".md" and not place.name.endswith(".py.md"):
            links = re.findall(r"(?<=\]\()(?!https?:|#)([^)\s#]+)", re.sub(rb"(?s)```.*?```", b"", content).decode())
            assert [to for to in links if PurePosixPath(os.path.normpath(place.parent / to)) not in found] == [], place


def test_navigation_has_each_page_of_the_docs_once_by_the_four_kinds() -> None:
    home, index, *kinds = nav((ROOT / "docs" / "README.md").read_text())
    assert (home, index) == ({"Home": "index.md"}, {"All pages": "docs/index.md"})
    assert [next(iter(kind)) for kind in kinds] == ["Tutorials", "How-to guides", "Reference", "Explanation"]
    listed = [page for kind in kinds for pages_ in kind.values() for page in pages_]
    assert len(listed) == len(set(listed))
    assert set(map(PurePosixPath, listed)) <= set(pages())


def repository(folder: Path, readme: str) -> Path:
    (folder / "docs").mkdir()
    (folder / "README.md").write_text(readme)
    return folder


@pytest.mark.parametrize("link", ["gone.md", "../outside.md"])
def test_link_to_no_file_of_the_repository_is_an_error(link: str, tmp_path: Path) -> None:
    (tmp_path / "outside.md").touch()
    (tmp_path / "in").mkdir()
    with pytest.raises(FileNotFoundError, match=link):
        pages(repository(tmp_path / "in", f"[a]({link})"))


def test_source_file_is_a_page_whose_text_cannot_end_its_block(tmp_path: Path) -> None:
    text = 'TEXT = """\n```\n[a](b)\n"""'
    (tmp_path / "code.py").write_text(text)
    found = pages(repository(tmp_path, "[code](code.py#L1) and `[c](d)`\n\n```\n[e](f)\n```\n".replace("`[c](d)`", "")))
    assert b"[code](code.py.md#L1)" in found[PurePosixPath("index.md")]
    assert f"````py\n{text}\n````\n" in found[PurePosixPath("code.py.md")].decode()


class Page(HTMLParser):
    """The links of a page, the addresses that a browser loads for it, and its anchors."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.anchors |= {found["id"]} if "id" in found else set()
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if LOADED.get(tag, "-") in found and found.get("rel") not in ("canonical", "next", "prev"):
            self.loaded.append(found[LOADED[tag]])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        installed()
    except subprocess.CalledProcessError:
        pytest.skip("the generator of the site is not installed, and no package registry answers")
    folder = tmp_path_factory.mktemp("site")
    build(folder)
    return folder


@pytest.mark.slow
@pytest.mark.nightly
def test_each_link_of_the_built_site_leads_to_a_page_and_an_anchor_and_nothing_is_loaded_from_outside(
    site: Path,
) -> None:
    read = {path: Page(path.read_text()) for path in sorted(site.rglob("*.html"))}
    assert site / "docs" / "faults.html" in read
    for path, page in read.items():
        assert [each for each in page.loaded if urlsplit(each).scheme not in ("", "data") or each[:2] == "//"] == []
        for link in page.links if path.name != "404.html" else ():
            to, anchor = urlsplit(link), unquote(urlsplit(link).fragment)
            if to.scheme:
                continue
            target = Path(os.path.normpath(path.parent / unquote(to.path))) if to.path else path
            target = target / "index.html" if target.is_dir() else target
            assert target in read, f"{path}: {link}"
            assert not anchor or anchor in read[target].anchors, f"{path}: {link}"
    for sheet in site.rglob("*.css"):
        assert re.findall(r"(?:url\(|@import )[\"']?(?:https?:)?//[^)]*", sheet.read_text()) == []


@pytest.mark.slow
@pytest.mark.nightly
def test_link_to_no_heading_is_an_error(site: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = pages() | {PurePosixPath("docs/load.md"): b"# Load\n\n[a](faults.md#no-such-fault)\n"}
    monkeypatch.setattr("tools.site.build.pages", lambda: broken)
    with pytest.raises(subprocess.CalledProcessError):
        build(tmp_path / "site")
    assert not (tmp_path / "site").exists()


@pytest.mark.slow
@pytest.mark.nightly
def test_folder_with_other_files_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="expected a new folder"):
        build(tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"
