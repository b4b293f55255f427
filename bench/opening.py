"""How long a browser takes to open and draw a page."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from playwright.sync_api import sync_playwright


def seconds(page: Path) -> float | None:
    """From the request until all tracks are drawn; None without a chromium."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        return None
    with sync_playwright() as playwright:
        as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=path, args=as_root)
        opened = browser.new_page()
        began = time.monotonic()
        opened.goto(page.resolve().as_uri())
        opened.locator("html[data-drawn]").wait_for(state="attached")
        took = time.monotonic() - began
        browser.close()
    return round(took, 2)
