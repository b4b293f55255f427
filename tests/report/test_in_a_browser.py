"""The page in a real browser: Debian's chromium, driven by Playwright. Nothing is asked of any network."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from shaketable.checks.verdict import judge_run
from shaketable.report.page.page import report
from tests.support.browser import BACKGROUND, PAPER, WIDTH, watched
from tests.support.browser import chromium as chromium
from tests.support.histories import run_of
from tests.support.shown import HOSTILE, LONG, hostile_run, whole, wrong

pytestmark = pytest.mark.browser

TRACKS = ("strip", "events", "rate", "latency", "backlog", "stored", "health", "breaker")
RUNS = ("passed", "failed")
#: How many pixels of each track are painted.
PAINTED = """[...Bokeh.index.roots].filter(view => view.canvas_view).map(({ canvas_view: { primary: { canvas } } }) => {
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, i) => value && i % 4 === 3).length;
})"""
#: Where the time axis begins and ends on the screen.
FRAME = """(() => {
    const [{ el, frame }] = Bokeh.index.roots, { left } = el.getBoundingClientRect();
    return [left + frame.bbox.left, left + frame.bbox.right];
})()"""
TITLE = "dialog => document.getElementById(dialog.getAttribute('aria-labelledby')).textContent"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    told = {"passed": whole(), "failed": wrong("gone-1", "gone-2", "gone-3")}
    runs = {name: run_of(parts, tmp_path_factory.mktemp(name)) for name, parts in told.items()}
    for name, run in runs.items():
        assert judge_run(run).verdict == name
    texts = {"hostile": HOSTILE, "long": LONG}
    runs |= {name: hostile_run(tmp_path_factory.mktemp(name), text) for name, text in texts.items()}
    return {name: report(run) for name, run in runs.items()}


Open = Callable[..., Page]


@pytest.fixture
def opened(chromium: Browser, pages: dict[str, Path]) -> Iterator[Open]:
    """Opens the page of a run; whatever it complained of, or asked for beside itself, fails the test."""
    with ExitStack() as stack:

        def open_(name: str, width: int = 1280, drawn: bool = True, **options: Any) -> Page:
            page = stack.enter_context(watched(chromium, pages[name].as_uri(), width, **options))
            page.goto(pages[name].as_uri())
            if drawn:
                page.locator("html[data-drawn]").wait_for(state="attached")
            return page

        yield open_


def shown(page: Page) -> list[float]:
    """What part of the run the dots, and what part the tracks show."""
    found: list[float] = page.evaluate("""[...axis.shown, ...['start', 'end'].map(
        edge => Bokeh.documents[0].get_model_by_name('time')[edge])]""")
    return found


def wait_until(holds: Callable[[], bool]) -> None:
    """The browser paints when it likes: waits up to 30 s, as Playwright does for its own."""
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end, "it never happened"


def track(page: Page, name: str) -> Any:
    return page.locator(f"#track-{name}")


@pytest.mark.parametrize("name", RUNS)
def test_every_track_is_painted_and_nothing_runs_off_the_side(opened: Open, name: str) -> None:
    page = opened(name)
    assert page.locator(".track").evaluate_all("all => all.map(one => one.id)") == [f"track-{n}" for n in TRACKS]
    assert page.locator(".dot").count() == {"passed": 0, "failed": 6}[name]
    for width in (1280, 400):
        page.set_viewport_size({"width": width, "height": 1000})
        for scheme, paper in PAPER.items():
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate(BACKGROUND) == paper
            painted = page.evaluate(PAINTED)
            assert len(painted) == len(TRACKS) - 1
            assert min(painted) > 500
            assert page.evaluate(WIDTH) == width


def test_dot_stands_where_the_tracks_show_its_time(opened: Open) -> None:
    page = opened("failed")
    for zoomed in (False, True):
        if zoomed:
            page.get_by_role("button", name="zoom to the fault").click()
        for dot in page.locator(".dot:not(.beyond)").all()[:2]:
            box, at = dot.bounding_box(), float(dot.get_attribute("data-at") or 0)
            left, right = page.evaluate(FRAME)
            begin, end = shown(page)[2:]
            assert box is not None
            expected = left + (at - begin) / (end - begin) * (right - left)
            assert box["x"] + box["width"] / 2 == pytest.approx(expected, abs=1.5)


def test_click_on_a_dot_shows_the_events_life(opened: Open) -> None:
    page = opened("failed")
    page.get_by_label("lost at 31.10 seconds: gone-2").click()
    life = page.get_by_role("dialog")
    assert "gone-2 lost" in life.inner_text()
    assert "attempt 1 at 31.00 s: acknowledged (202) at 31.10 s" in life.inner_text()
    assert "postgres away, 20.00 s to 50.00 s" in life.inner_text()
    life.get_by_role("button", name="Close").click()
    assert page.get_by_role("dialog").count() == 0


def test_member_of_a_failed_check_leads_to_its_life(opened: Open) -> None:
    page = opened("failed")
    page.locator(".members").get_by_role("link", name="gone-3").click()
    assert "gone-3 lost" in page.get_by_role("dialog").inner_text()
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.textContent") == "gone-3"


def test_keyboard_leads_from_event_to_event_and_into_their_lives(opened: Open) -> None:
    page = opened("failed")
    focused = "document.activeElement.getAttribute('aria-label') ?? ''"
    for _ in range(20):
        page.keyboard.press("Tab")
        if "lost" in page.evaluate(focused):
            break
    assert page.evaluate(focused) == "lost at 30.10 seconds: gone-1"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused) == "lost at 31.10 seconds: gone-2"
    page.keyboard.press("Enter")
    assert "gone-2" in page.get_by_role("dialog").inner_text()
    page.keyboard.press("ArrowRight")
    assert "gone-3" in page.get_by_role("dialog").inner_text()
    page.keyboard.press("Escape")
    assert page.get_by_role("dialog").count() == 0
    assert page.evaluate(focused) == "lost at 32.10 seconds: gone-3"
    page.keyboard.press("End")
    assert "doubled" in page.evaluate(focused) or "misordered" in page.evaluate(focused)


def test_tracks_zoom_and_pan_together_by_mouse_and_by_key(opened: Open) -> None:
    page = opened("failed")
    track(page, "backlog").scroll_into_view_if_needed()
    box = track(page, "backlog").locator(".bk-Figure").bounding_box()
    x, y = box["x"], box["y"] + 40

    def drag(begin: float, end: float) -> None:
        page.mouse.move(x + begin, y)
        page.mouse.down()
        page.mouse.move(x + end, y, steps=4)
        page.mouse.up()

    drag(300, 600)
    wait_until(lambda: shown(page)[0] > 0)
    begin, end, *tracks = shown(page)
    assert (begin, end) == pytest.approx(tracks)
    assert 15 < end - begin < 45
    page.keyboard.down("Shift")
    drag(500, 400)
    page.keyboard.up("Shift")
    later, until, *tracks = shown(page)
    assert (later, until) == pytest.approx(tracks)
    assert later > begin
    assert until - later == pytest.approx(end - begin)
    page.locator(".axis").focus()
    for key, width in (("-", 2), ("+", 1)):
        page.keyboard.press(key)
        assert shown(page)[1] - shown(page)[0] == pytest.approx(width * (end - begin), rel=0.01)
    page.keyboard.press("ArrowLeft")
    assert shown(page)[0] < later
    page.keyboard.press("0")
    assert shown(page) == pytest.approx([0, 100, 0, 100])


def test_pointer_tells_what_an_honest_score_would_have_been(opened: Open) -> None:
    page = opened("failed")
    health = track(page, "health")
    health.scroll_into_view_if_needed()
    box = health.locator(".bk-Figure").bounding_box()
    told = []
    for share in (0.05, 0.4, 0.95):
        page.mouse.move(box["x"] + 58 + (box["width"] - 68) * share, box["y"] + 50)
        wait_until(lambda: health.locator("output").first.inner_text() == "100")
        told.append(health.locator("output[data-column=honest]").inner_text())
    assert told == ["above 70", "at most 70", "above 70"]
    assert "not honest for" in health.inner_text()


@pytest.mark.parametrize("name", ["hostile", "long"])
def test_hostile_text_is_shown_and_does_nothing(opened: Open, name: str) -> None:
    page = opened(name, 400)
    page.locator(".dot").click()
    told = page.get_by_role("dialog").inner_text()
    assert ("<script>alert(1)</script><img src=https://evil.example/x>$$x$$" if name == "hostile" else LONG) in told
    assert "\u202e" not in page.content()
    assert page.locator("img, mjx-container").count() == 0
    assert page.evaluate(WIDTH) == 400
    dialog = page.locator("dialog").evaluate("dialog => [dialog.scrollWidth, dialog.clientWidth]")
    assert dialog[0] == dialog[1]


def test_without_scripts_a_dot_leads_to_the_life_below(opened: Open) -> None:
    page = opened("failed", drawn=False, java_script_enabled=False)
    page.get_by_label("lost at 30.10 seconds: gone-1").click()
    assert page.url.endswith("#life-1")
    assert "gone-1" in page.locator("#life-1").inner_text()


def test_paper_is_light_and_has_nothing_to_press(opened: Open, tmp_path: Path) -> None:
    page = opened("failed", color_scheme="dark")
    page.pdf(path=tmp_path / "page.pdf", print_background=True)
    page.emulate_media(media="print")
    assert page.evaluate(BACKGROUND) == "rgb(255, 255, 255)"
    assert page.get_by_role("button").filter(visible=True).count() == 0
    assert (tmp_path / "page.pdf").stat().st_size > 20_000


def test_what_can_be_pressed_has_a_name(opened: Open) -> None:
    page = opened("failed")
    nameless = "all => all.filter(e => !(e.getAttribute('aria-label') || e.textContent.trim())).map(e => e.outerHTML)"
    assert page.locator("button, a, summary, [tabindex='0']").evaluate_all(nameless) == []
    page.locator(".dot").first.click()
    assert page.get_by_role("dialog").evaluate(TITLE)
