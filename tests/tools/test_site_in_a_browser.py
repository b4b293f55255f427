"""The site in a real browser: it is read, and searched, without a request to any other server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.browser import launched, watched
from tests.tools.test_site import site as site

pytestmark = pytest.mark.browser


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def address(site: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_every_kind_of_page_and_a_search_ask_only_the_site_itself(address: str) -> None:
    asked: list[str] = []
    with launched() as browser, watched(browser, address) as page:
        page.on("request", lambda request: asked.append(request.url))
        for name in ("docs/faults", "reference_impl/target.toml", "index"):
            page.goto(f"{address}/{name}.html")
            assert page.locator("h1").is_visible()
        page.keyboard.press("Control+k")
        page.locator("input:visible").first.fill("open-loop")
        page.locator("a[href*='how-it-works']:visible").first.wait_for()
    assert len(asked) > 10
