"""The live page in a real browser: it follows the run, and ends with the verdict and a link to the report."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from shaketable.checks.verdict import judge_run
from shaketable.cli.live import server
from shaketable.report.page.page import report
from shaketable.runner.progress import Status
from tests.support.browser import launched, watched
from tests.support.histories import run_of
from tests.support.shown import HOSTILE, whole, wrong

pytestmark = pytest.mark.browser


def test_page_follows_the_run_and_ends_with_the_verdict_and_the_report(tmp_path: Path) -> None:
    with server.serve() as live, launched() as browser, watched(browser, live.url, 400) as page:
        live.state.begin("outage")
        live.state.say(HOSTILE)
        page.goto(live.url)
        for n, breaker in enumerate(("CLOSED", "OPEN")):
            faults = [HOSTILE] * n
            live.state.update(Status("shake", 12.4, 4320, 1600, 580, 20, 60, breaker, faults, {"worker-1": breaker}))
        expect(page.locator("#phase")).to_have_text("Shake")
        expect(page.locator("#tile-acknowledged")).to_have_text("1,600")
        expect(page.locator("#tile-breaker")).to_have_text("OPEN")
        expect(page.locator("#faults")).to_contain_text("<script>alert(1)</script>")
        expect(page.locator("#lane-breakers rect")).to_have_count(3)
        assert page.evaluate("document.documentElement.scrollWidth") == 400
        run = run_of(wrong("gone"), tmp_path)
        judge_run(run)
        report(run)
        live.state.played(run)
        live.state.begin("calm")
        passed = run_of(whole(), tmp_path / "passed")
        judge_run(passed)
        live.state.played(passed)
        live.state.end()
        expect(page.locator("#phase")).to_have_text("Failed")
        expect(page.locator("#sentence")).to_contain_text("no_loss")
        expect(page.locator("#sentence")).to_contain_text("outage: ")
        expect(page.locator("#ended li")).to_have_count(2)
        with page.expect_popup() as opened:
            page.get_by_role("link", name="report").click()
        expect(opened.value.locator("h1")).to_have_text("Failed")
