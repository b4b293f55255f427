"""Processors beside each other: losses are seen, what nobody could see is unknown, every figure leads to its run."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from rich.console import Console

from shaketable.compare import forms, run_index
from shaketable.compare import page as compared_page
from shaketable.compare.comparison import Comparison
from shaketable.compare.environment_summary import environment_summary
from shaketable.compare.forms import ranged, told
from shaketable.errors import RunDirError
from tests.report.test_page import Parsed
from tests.support.comparisons import hostile, kept, line, losing, played, read, stopped
from tests.support.histories import absent, every, fault, probe, queued, target
from tests.support.shown import HOSTILE


@pytest.fixture
def held(tmp_path: Path) -> Comparison:
    return kept(tmp_path / "compare", ["a", "b"])


def figure(held: Comparison, name: str, measure: str) -> str:
    return ranged(line(held, name).figure(measure), "")


def page(held: Comparison) -> str:
    return compared_page.write(read(held), held.path / "compare.html").read_text()


def test_loss_is_shown_as_a_range_over_trials_and_proves_no_bound(held: Comparison) -> None:
    for seed, lost in enumerate((0, 3, 1), 1):
        played(held, "a", *losing(lost), seed=seed)
    assert figure(held, "a", "lost") == "0–3"
    assert line(held, "a").proved is None
    assert told(line(held, "a"))[1:3] == ["failed 2, passed 1", "0–3"]


def test_no_loss_in_all_trials_proves_a_bound_for_trials_and_for_events(held: Comparison) -> None:
    for seed in (1, 2, 3):
        played(held, "a", *losing(0), seed=seed)
    of_trials, of_events = line(held, "a").proved or (0, 0)
    assert of_trials == pytest.approx(1 - 0.05 ** (1 / 3))
    assert of_events == pytest.approx(1 - 0.05 ** (1 / 30))
    assert told(line(held, "a"))[2] == "0 (≤ 64 % of trials)"


def test_what_was_not_observed_is_unknown_and_never_zero(held: Comparison) -> None:
    played(held, "a", *losing(0), absent("stored.jsonl", "probes.jsonl"))
    for measure in ("lost", "doubled", "out of order", "unexplained", "recovery", "memory"):
        assert figure(held, "a", measure) in ("unknown", "not applicable"), measure
    assert figure(held, "a", "lost") == figure(held, "a", "memory") == "unknown"
    assert line(held, "a").proved is None


def test_no_loss_in_a_run_that_cannot_be_judged_proves_nothing_and_a_loss_in_it_is_one(held: Comparison) -> None:
    played(held, "a", *losing(0), fault(3, 5, landed=False))
    played(held, "b", *losing(2), fault(3, 5, landed=False))
    assert (figure(held, "a", "lost"), figure(held, "b", "lost")) == ("unknown", "2")
    assert "landed" in line(held, "a").figure("lost").why
    assert figure(held, "b", "intake p99") == "unknown"
    assert "- a: cannot be judged, seed 1: nothing shows that fault 0" in forms.markdown(read(held))


def test_events_that_the_queue_may_still_hold_are_unexplained_and_not_lost(held: Comparison) -> None:
    played(held, "a", *losing(4), queued(4))
    assert (figure(held, "a", "lost"), figure(held, "a", "unexplained")) == ("unknown", "4")


def test_what_a_processor_does_not_claim_is_not_applicable(held: Comparison) -> None:
    played(held, "a", *losing(0), target(capabilities={"order_by": None}))
    assert figure(held, "a", "out of order") == "not applicable"
    assert line(held, "a").check("order_kept") == {"not applicable": 1}
    assert page(held).count('badge not-applicable">not applicable') > 1


def test_backlog_that_never_goes_makes_the_worst_recovery_never(held: Comparison) -> None:
    waits = [*losing(0), fault(2, 5), probe(*every(1, 0, 2), queue=0)]
    played(held, "a", *waits, probe(*every(1, 5, 90), queue=7), queued(7), seed=1)
    played(held, "a", *waits, probe(4, queue=7), probe(6, 7, queue=0), seed=2)
    row = dict(zip(forms.HEADS, told(line(held, "a")), strict=True))
    assert row["(worst)"] == "never"
    assert figure(held, "a", "recovery") == "1–never"


def test_skipped_error_and_not_played_are_rows_with_their_reason(held: Comparison) -> None:
    stopped(held, "a", "skipped", "npm is not on this machine")
    assert told(line(held, "a"))[:2] == ["a", "skipped: npm is not on this machine"]
    assert told(line(held, "b"))[:2] == ["b", "not played"]
    stopped(held, "b", "error", "worker died at start")
    shown = page(held)
    assert "skipped: npm is not on this machine" in shown
    assert "error: worker died at start" in shown
    assert "- b: error: worker died at start" in forms.markdown(read(held))


def test_progress_tells_of_each_cell_so_far(held: Comparison) -> None:
    played(held, "a", *losing(2))
    console = Console(width=60, file=io.StringIO())
    console.print(forms.progress(held))
    assert isinstance(console.file, io.StringIO)
    lines = [line.split() for line in console.file.getvalue().splitlines()]
    assert lines == [["calm"], ["a", "failed"], ["b", "·"]]


def test_trial_without_a_verdict_is_told_beside_those_that_have_one(held: Comparison) -> None:
    played(held, "a", *losing(0))
    stopped(held, "a", "error", "oh", seed=2)
    assert told(line(held, "a"))[-1] == "1"
    assert "- a: 1 trial: error: oh" in forms.markdown(read(held))
    assert "error: oh" in page(held)


def test_run_directory_that_is_gone_or_torn_is_an_error_and_visible(held: Comparison) -> None:
    run = played(held, "a", *losing(0))
    (run / "verdict.json").write_text("{")
    assert line(held, "a").others[0].outcome == "error"
    os.rename(run, run.with_name("elsewhere"))
    assert line(held, "a").others[0].why == "its run directory is gone"


def test_every_figure_leads_to_its_run(held: Comparison) -> None:
    runs = [played(held, "a", *losing(lost), seed=seed) for seed, lost in ((1, 0), (2, 3))]
    runs.append(played(held, "b", *losing(0)))
    links = [attributes["href"] for tag, attributes in Parsed(page(held)).elements if tag == "a"]
    assert {(held.path / unquote(str(link))).resolve() for link in links} == {(run / "report.html") for run in runs}
    assert len(links) >= 8 * 3 - 8
    assert not [link for link in links if str(link).startswith(("/", "http", ".."))]


def test_hostile_text_is_shown_and_does_nothing(tmp_path: Path) -> None:
    shown = page(hostile(tmp_path / "compare", HOSTILE))
    parsed = Parsed(shown)
    assert parsed.scripts == []
    assert not [tag for tag, _ in parsed.elements if tag in ("img", "iframe", "object", "form")]
    assert "<script>alert(1)</script>" in parsed.text
    assert "\u202e" not in shown
    assert not re.search(r"<[^>]+(?:src|href)=.?https?:", shown)
    assert "script-src &#39;none&#39;" in shown


def test_hostile_name_neither_leaves_its_cell_of_markdown_nor_its_folder(tmp_path: Path) -> None:
    held = kept(tmp_path / "compare", ["../a|b<i>"])
    run = played(held, "../a|b<i>", *losing(0))
    assert held.path in run.parents
    assert r"| ../a\|b\<i\> |" in forms.markdown(read(held))


def test_markdown_has_a_table_for_each_scenario_and_says_what_it_stood_on(held: Comparison) -> None:
    played(held, "a", *losing(0))
    played(held, "b", *losing(2))
    shown = forms.markdown(read(held))
    assert "### calm" in shown
    assert "| b | failed | 2 | unknown |" in shown
    assert "| b | not applicable | not applicable |" in shown
    assert [row for row in shown.splitlines() if len(row) > 130] == []
    assert "- again: `shaketable compare a b --scenarios calm --trials 1 --seed 1`" in " ".join(shown.split())
    assert "2026-11-24" in shown
    assert forms.brief(read(held)).splitlines()[-1] == "| b | 2 / unknown |"


def test_versions_of_the_library_that_a_target_is_named_for_come_out_of_its_run(tmp_path: Path) -> None:
    held = kept(tmp_path / "compare", ["celery-defaults"])
    played(held, "celery-defaults", *losing(0))
    assert "celery 5.6.0 (kombu 5.6.1)" in environment_summary(read(held))
    assert "kombu" in page(held)


def test_load_before_the_runs_is_told_from_lowest_to_highest_and_what_is_missing_is_left_out(held: Comparison) -> None:
    played(held, "a", *losing(0), ground={"cpus": 2, "load_before": 0.5})
    played(held, "b", *losing(0), ground={"cpus": 2, "load_before": 15.38})
    assert "load before the runs: 0.5–15.4 on 2 CPUs" in environment_summary(read(held))
    assert "load before the runs: 0.5–15.4 on 2 CPUs" in page(held)
    assert "None" not in forms.markdown(read(held))
    assert "0 GiB" not in forms.markdown(read(held))


@pytest.mark.parametrize(
    ("other", "differ"), [({"cpus": 2, "settings_not_taken": {"lease_s": 3}}, False), ({"cpus": 4}, True)]
)
def test_settings_that_one_target_does_not_take_make_no_other_machine(
    held: Comparison, other: dict[str, Any], differ: bool
) -> None:
    played(held, "a", *losing(0), ground={"cpus": 2})
    played(held, "b", *losing(0), ground=other)
    assert ("different machines" in page(held)) is differ


@pytest.mark.parametrize(
    ("ground", "told"),
    [
        (
            {"cpus": 2, "processor": "EPYC", "memory_bytes": 2**34, "system": "Linux", "python": "3.11.7"},
            ["2 × EPYC, 16 GiB, Linux, Python 3.11.7"],
        ),
        ({"processor": "EPYC", "python": "3.11.7"}, ["EPYC, Python 3.11.7"]),
        ({"cpus": 1}, ["1 CPU"]),
        ({"stack": "local"}, []),
    ],
)
def test_machine_is_told_as_far_as_it_is_known(held: Comparison, ground: dict[str, Any], told: list[str]) -> None:
    played(held, "a", *losing(0), ground=ground)
    assert environment_summary(read(held)) == ["2026-11-24", *told]


def test_clients_that_a_library_stands_on_are_told_beside_it(tmp_path: Path) -> None:
    held = kept(tmp_path / "compare", ["arq-hardened", "mine"])
    for name in ("arq-hardened", "mine"):
        played(held, name, *losing(0), ground={"target_packages": {"arq": "0.28", "redis": "5.3", "anyio": "4"}})
    assert environment_summary(read(held))[-1] == "arq 0.28 (redis 5.3), redis 5.3"


def test_skipped_target_has_its_row_in_both_tables_of_a_scenario(held: Comparison) -> None:
    played(held, "a", *losing(0))
    stopped(held, "b", "skipped", "expected npm, " * 20)
    rows = [row for row in forms.markdown(read(held)).splitlines() if row.startswith("| b | skipped: expected")]
    assert [row.count("|") for row in rows] == [8, 8]


def test_name_that_holds_ticks_stays_within_the_command(tmp_path: Path) -> None:
    held = kept(tmp_path / "compare", ["a`b``<i>"])
    played(held, "a`b``<i>", *losing(0))
    assert "- again: ``` shaketable compare 'a`b``<i>' " in " ".join(forms.markdown(read(held)).split())


def test_csv_has_a_row_for_each_trial_and_json_all_of_it(held: Comparison) -> None:
    played(held, "a", *losing(3), absent("probes.jsonl"))
    stopped(held, "b", "skipped", "no npm")
    rows = list(csv.DictReader(io.StringIO(forms.csv(read(held)))))
    assert [(row["target"], row["outcome"], row["lost"], row["memory_mib"]) for row in rows] == [
        ("a", "failed", "3", "unknown"),
        ("b", "skipped", "", ""),
    ]
    whole = json.loads(forms.json(read(held)))
    first = whole["scenarios"][0]["targets"][0]
    assert (first["figures"]["lost"]["high"], first["figures"]["memory_mib"]["unknown"]) == (3, 1)


def test_cells_that_were_not_sent_the_same_are_told(held: Comparison) -> None:
    played(held, "a", *losing(0), inputs="one", manifest="m")
    played(held, "b", *losing(0), inputs="other", manifest="n")
    assert read(held).caveats == ["calm, seed 1: not all targets were sent the same"]


def test_manifest_that_changed_between_trials_is_told(held: Comparison) -> None:
    played(held, "a", *losing(0), manifest="m")
    played(held, "a", *losing(0), seed=2, manifest="n")
    assert read(held).caveats == ["a: its manifest changed between runs"]


def test_code_that_changed_between_trials_is_told_where_it_was_looked_at(held: Comparison) -> None:
    for seed, code in enumerate(("", "c"), 1):
        played(held, "a", *losing(0), seed=seed, code=code)
    assert read(held).caveats == []
    played(held, "a", *losing(0), seed=3, code="d")
    assert read(held).caveats == ["a: its code changed between runs"]


def test_single_runs_can_be_put_beside_each_other(held: Comparison) -> None:
    runs = [played(held, "a", *losing(0)), played(held, "b", *losing(2))]
    found = run_index.read(runs)
    assert [line.target for line in found.blocks[0].lines] == ["a", "b"]
    assert found.targets == ["a", "b"]


def test_cell_that_two_comparisons_hold_is_shown_once(held: Comparison, tmp_path: Path) -> None:
    other = kept(tmp_path / "other", ["a", "b"])
    for each in (held, other):
        played(each, "a", *losing(2))
    found = run_index.read([held.path, other.path])
    assert [len(line.judged) for line in found.blocks[0].lines] == [1, 0]


def test_folder_that_is_no_comparison_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(RunDirError, match="shaketable compare"):
        run_index.read([tmp_path])


def test_tiles_of_the_page_never_show_an_unknown_as_zero(held: Comparison) -> None:
    played(held, "a", *losing(0))
    stopped(held, "b", "error", "it crashed")
    text = page(held)
    assert '<div class="doubt"><dt>processors that lost events</dt><dd>0, 1 unknown</dd></div>' in text
    assert '<div class="doubt"><dt>processors that doubled events</dt><dd>0, 2 unknown</dd></div>' in text
    played(held, "b", *losing(2), seed=2)
    assert '<div class="bad"><dt>processors that lost events</dt><dd>1</dd></div>' in page(held)
