"""A run's still picture: well-formed, escaped, and there for a run of which little is known."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from shaketable.report.page.picture import svg
from tests.support.histories import breaker, fault, probe, run_of, sent, stored

SCRIPT = "<script>alert(1)</script>"


def test_picture_is_well_formed_and_names_the_fault(tmp_path: Path) -> None:
    run = run_of([sent("a").acknowledged(1), stored("a"), fault(10, 20), probe(1, 2, 3, queue=3)], tmp_path)
    told = svg(run)
    ElementTree.fromstring(told)
    assert told.count("<rect") == 1
    assert "backlog" in told


def test_hostile_names_are_escaped(tmp_path: Path) -> None:
    run = run_of([sent("a")], tmp_path)
    (tmp_path / "verdict.json").write_text(f'{{"verdict": "{SCRIPT}", "checks": {{}}}}')
    assert SCRIPT not in svg(run)


def test_run_without_probes_has_empty_tracks(tmp_path: Path) -> None:
    run = run_of([sent("a")], tmp_path)
    (tmp_path / "probes.jsonl").unlink()
    ElementTree.fromstring(svg(run))


def test_every_breaker_has_a_row_and_unknown_stretches_are_no_line(tmp_path: Path) -> None:
    told = svg(run_of([sent("a").acknowledged(1), probe(1, 2, 3), breaker((0, "CLOSED"), (9, "OPEN"))], tmp_path))
    assert ">worker-1<" in told
    assert "nan" not in told
