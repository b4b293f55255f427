"""A real browser for tests: Debian's chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

expect.set_options(timeout=60_000)  # milliseconds; on a busy machine a page may take more than the 5 s of the default
#: The width that the page needs.
WIDTH = "document.documentElement.scrollWidth"
#: The page's background, and what it is by the reader's colour scheme.
BACKGROUND = "getComputedStyle(document.body).backgroundColor"
PAPER: dict[Literal["light", "dark"], str] = {"light": "rgb(251, 251, 250)", "dark": "rgb(17, 20, 24)"}


@contextmanager
def launched() -> Iterator[Browser]:
    """The browser. Fails the test when there is none."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.fail("expected chromium on PATH, found none: apt-get install chromium")
    with sync_playwright() as playwright:
        as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=path, args=as_root)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@contextmanager
def watched(browser: Browser, own: str, width: int = 1280, **options: Any) -> Iterator[Page]:
    """A page that fails the test if it complains, opens a dialog, or asks for anything outside `own`."""
    wrongs: list[str] = []

    def asked(request: Request) -> None:
        if not request.url.startswith((own, "data:", "blob:")):
            wrongs.append(request.url)

    context = browser.new_context(viewport={"width": width, "height": 1000}, **options)
    page = context.new_page()
    page.on("console", lambda m: wrongs.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: wrongs.append(str(e)))
    page.on("dialog", lambda d: wrongs.append(f"a dialog: {d.message}"))
    page.on("request", asked)
    try:
        yield page
    finally:
        context.close()
    assert wrongs == []
