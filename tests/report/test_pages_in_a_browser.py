"""Every page but a run's, in a real browser: one manner, wide and narrow, light, dark and on paper."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser

from tests.support import pages as made
from tests.support.browser import BACKGROUND, PAPER, WIDTH, watched
from tests.support.browser import chromium as chromium
from tests.support.pages import PAGES
from tests.support.shown import HOSTILE, LONG

pytestmark = pytest.mark.browser

#: Of each table: whether it is wider than its place, and whether it says that it scrolls.
HINTS = "all => all.map(one => [one.scrollWidth > one.clientWidth, getComputedStyle(one, '::before').display])"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Path]]:
    texts = {"hostile": HOSTILE, "long": LONG[:200]}
    return {name: made.write(tmp_path_factory.mktemp(name), text) for name, text in texts.items()}


@pytest.mark.parametrize("name", PAGES)
def test_page_has_the_verdict_in_its_title_and_only_its_tables_scroll(
    chromium: Browser, pages: dict[str, dict[str, Path]], name: str
) -> None:
    for text, written in pages.items():
        address = written[name].as_uri()
        with watched(chromium, address) as page:
            page.goto(address)
            assert page.title().startswith(PAGES[name])
            assert page.locator("header h1").inner_text().lower() == PAGES[name].partition(":")[0].lower()
            assert page.locator("header + .tiles dd").count() >= 3
            assert page.locator("footer").inner_text()
            assert ("<script>alert(1)</script>" in page.locator("main").inner_text()) == (text == "hostile")
            for width in (1280, 390):
                page.set_viewport_size({"width": width, "height": 1000})
                for scheme, paper in PAPER.items():
                    page.emulate_media(color_scheme=scheme)
                    assert page.evaluate(BACKGROUND) == paper
                    assert page.evaluate(WIDTH) == width
                told = page.locator(".wide").filter(visible=True).evaluate_all(HINTS)
                assert [hint for _, hint in told] == ["block" if scrolls else "none" for scrolls, _ in told]


@pytest.mark.parametrize("name", PAGES)
def test_paper_is_light_and_everything_is_unfolded(
    chromium: Browser, pages: dict[str, dict[str, Path]], name: str
) -> None:
    address = pages["hostile"][name].as_uri()
    with watched(chromium, address, color_scheme="dark") as page:
        page.goto(address)
        page.emulate_media(media="print")
        assert page.evaluate(BACKGROUND) == "rgb(255, 255, 255)"
        assert page.locator("table").filter(visible=False).count() == 0
        assert page.locator("footer").is_visible()


def test_figure_of_a_comparison_leads_to_its_run(chromium: Browser, pages: dict[str, dict[str, Path]]) -> None:
    address = pages["hostile"]["comparison"].as_uri()
    with watched(chromium, address) as page:
        page.goto(address)
        links = page.locator("td a").evaluate_all("links => links.map(link => link.href)")
    assert len(links) > 20
    assert {Path(unquote(urlsplit(link).path)).name for link in links} == {"report.html"}
    assert all(Path(unquote(urlsplit(link).path)).is_file() for link in links)
