"""The page: it opens offline, tells the verdict first, shows hostile text harmlessly, and bears whatever is missing."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from shaketable import rundir
from shaketable.checks import ContentIntact, NoLoss
from shaketable.checks.verdict import judge_run
from shaketable.cli.report import report as command
from shaketable.errors import RunDirError
from shaketable.report.page.page import SCRIPTS, report
from shaketable.rundir import RunDir
from tests.support.book import JOURNAL, ns
from tests.support.cases import cases
from tests.support.histories import absent, asks, fault, phase, run_of, sent, stored
from tests.support.shown import hostile_run, whole

TRACKS = ("strip", "rate", "latency", "backlog", "stored", "health", "breaker")


def page(run: RunDir) -> str:
    return report(run).read_text()


class Parsed(HTMLParser):
    """The page as a browser sees it: elements with their attributes, the text, the scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script":
            self.scripts[-1] += data
        elif self.cdata_elem is None:
            self.text += data


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> str:
    run = run_of(whole(), tmp_path_factory.mktemp("runs"))
    judge_run(run)
    return page(run)


@pytest.mark.slow
def test_every_track_is_there(passed: str) -> None:
    for track in TRACKS:
        shown = passed.split(f'id="track-{track}"')[1].split("</section>")[0]
        assert "data-root-id" in shown


@pytest.mark.slow
def test_policy_lets_only_the_pages_own_scripts_run(passed: str) -> None:
    parsed = Parsed(passed)
    policy = next(a["content"] for tag, a in parsed.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "'unsafe-eval'" not in policy
    for script in parsed.scripts:
        assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in policy


def test_nothing_is_loaded_from_anywhere(passed: str) -> None:
    for tag, attributes in Parsed(passed).elements:
        assert tag not in {"iframe", "object", "embed", "base"}
        assert "src" not in attributes
        assert (attributes.get("href") or "data:").startswith("data:")
    outside_the_library = re.sub(r"<script>.*?</script>", "", passed, flags=re.DOTALL)
    assert not re.search(r"https?://|@import|url\(", outside_the_library)


def test_verdict_comes_first(passed: str) -> None:
    text = Parsed(passed).text
    assert text.index("Passed") < text.index("no acknowledged event was lost") < text.index("What happened")


def test_failed_check_is_open_with_its_members(tmp_path: Path) -> None:
    run = run_of([sent("gone").acknowledged(1), sent("b").acknowledged(1), stored("b"), asks(NoLoss())], tmp_path)
    judge_run(run)
    html = page(run)
    assert re.search(r'<details class="check failed"[^>]* open>', html)
    assert "<bdi>gone</bdi>" in html


def test_check_that_does_not_count_says_so(passed: str) -> None:
    assert "shown, does not count" in Parsed(passed).text


def test_hostile_text_is_shown_and_does_nothing(tmp_path: Path) -> None:
    html = page(hostile_run(tmp_path))
    parsed = Parsed(html)
    assert "<script>alert(1)</script>" in parsed.text
    assert "\u202e" not in parsed.text.replace("⟨U+202E⟩", "")
    assert not [tag for tag, attributes in parsed.elements if tag == "img" or "onerror" in attributes]
    assert len(parsed.scripts) == len(SCRIPTS) + 3


@pytest.mark.slow
def test_hostile_text_does_not_reach_the_drawings(tmp_path: Path) -> None:
    drawings = Parsed(page(hostile_run(tmp_path))).scripts[2]
    assert "embed_document" in drawings
    for harm in ("$$", "alert(1)</", "<script", "\\\\(y", "\u202e"):
        assert harm not in drawings


def test_page_without_files_says_which_are_missing(tmp_path: Path) -> None:
    names = (rundir.SCHEDULE, JOURNAL, rundir.FAULTS, rundir.PROBES, rundir.PHASES)
    html = page(run_of(whole(*map(absent, names)), tmp_path))
    assert "run `shaketable check`" in html
    for name in names:
        assert f"{name.replace(JOURNAL, rundir.JOURNALS)} is missing" in Parsed(html).text


READ = (
    rundir.TARGET,
    rundir.SCHEDULE,
    JOURNAL,
    rundir.FAULTS,
    rundir.PROBES,
    rundir.TRANSITIONS,
    rundir.VERDICT,
    rundir.ENVIRONMENT,
)


@pytest.mark.parametrize("name", cases(READ, each_change=[rundir.PROBES]))
def test_page_with_a_spoilt_file_is_still_written(tmp_path: Path, name: str) -> None:
    run = run_of(whole(), tmp_path)
    (run / name).write_text("not JSON at all\n")
    assert "cannot be read" in Parsed(page(run)).text


def test_run_that_only_wrote_its_scenario_has_a_page(tmp_path: Path) -> None:
    rundir.write_json(tmp_path / rundir.SCENARIO, {"name": "bare"})
    html = page(RunDir(tmp_path))
    assert "Not judged" in html
    assert html.count('class="absent"') >= len(TRACKS)


def test_run_cut_off_in_the_shake_says_so(tmp_path: Path) -> None:
    run = run_of(whole(phase("baseline", 0), phase("shake", 10)), tmp_path)
    assert "The run was cut off: the last phase that it entered was shake." in page(run)


@pytest.mark.slow
def test_hundred_thousand_events_fit_into_two_megabytes(tmp_path: Path) -> None:
    run = run_of([], tmp_path)
    lines, planned = [], []
    for n in range(100_000):
        at = ns(n / 1000)
        detail = {"n": n, "due": at, "emitted": at}
        lines.append({"process": "load-0", "kind": "intent", "invoked_at": at, "attempt": n, "detail": detail})
        lines.append(
            {
                "process": "load-0",
                "kind": "send",
                "invoked_at": at,
                "ended_at": at + 2_000_000,
                "outcome": "acknowledged",
                "attempt": n,
                "detail": {"n": n, "status": 202},
            }
        )
        planned.append({"n": n, "at": n * 1_000_000, "event_id": f"e{n}", "shape": 0, "expect": "accept"})
    rundir.write_lines(run / JOURNAL, lines)
    rundir.write_lines(run / rundir.SCHEDULE, planned)
    assert report(run).stat().st_size < 2_000_000


def test_command_prints_where_the_page_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_of(whole(), tmp_path)
    assert command(tmp_path) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "report.html")


def test_command_refuses_a_folder_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunDirError):
        command(tmp_path)


@pytest.mark.slow
def test_first_lines_name_what_went_wrong_and_the_fault_that_did_not_land(tmp_path: Path) -> None:
    altered = sent("odd", at=3).acknowledged(3.1), stored("odd", event={"eventId": "odd", "action": "other"})
    parts = whole(*altered, fault(60, 70, "worker paused", landed=False), asks(ContentIntact()))
    judge_run(run := run_of(parts, tmp_path))
    first = report(run).read_text().split('id="tracks"')[0]
    assert "worker paused) did not land" in first
    assert '<div class="bad"><dt>altered</dt><dd>1</dd></div>' in first


def test_tiles_say_first_how_many_were_lost_and_the_failed_check_has_its_first_trace(tmp_path: Path) -> None:
    gone, kept = sent("gone", at=3).acknowledged(3.1), sent("b", at=4).acknowledged(4.1)
    judge_run(run := run_of([gone, kept, stored("b", 5), asks(NoLoss(), ContentIntact())], tmp_path))
    first, _, rest = report(run).read_text().partition('id="tracks"')
    tiles = re.findall(r'<div class="(\w+)"><dt>(\w+)</dt><dd>(\w+)</dd>', first)
    assert tiles[:3] == [("bad", "lost", "1"), ("doubt", "doubled", "unknown"), ("good", "altered", "0")]
    failed = rest.split('<details class="check failed"')[1].split("</details>")[0]
    assert "attempt 1 at 3.00 s: acknowledged (202) at 3.10 s" in failed
    assert 'aria-label="show gone on the tracks"' in failed


def test_fault_shows_its_settings_and_its_button_its_times(tmp_path: Path) -> None:
    html = page(run_of(whole(), tmp_path))
    assert 'aria-label="zoom to the fault postgres away, 20.0–50.0 s"' in html
    settings = html.split('<section id="faults">')[1].split("</section>")[0]
    assert "<dt>fault</dt><dd><bdi>down</bdi></dd>" in settings
