"""Intakes of other kinds, whole: batches with an answer for each event, and ids that the server makes."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.alternatives.test_order_service import MANIFEST, shaken
from tests.conftest import Typed
from tests.support.cases import nightly

ROOT = Path(__file__).parents[2]
#: Statuses of attempts that a busy machine may cause, and that the load repeats: no answer in time, and 503.
RETRIED = {None, 503}


def ops(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "latest" / "journal-load-0.jsonl").read_text().splitlines()]


def written(folder: Path, manifest: Path, *changes: tuple[str, str]) -> Path:
    """A manifest with parts of it replaced, in a folder of its own."""
    own = ('"order_service/', f'"{MANIFEST.parent}/order_service/')
    text = manifest.read_text().replace('cwd = ".."', f'cwd = "{ROOT}"').replace(*own)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "mine.toml").write_text(text)
    return folder / "mine.toml"


@pytest.mark.nightly
def test_reference_takes_batches_and_each_event_has_its_own_answer(tmp_path: Path, typed: Typed) -> None:
    batch = 'batch = {path = "/events/batch", size = 8, format = "ndjson", answers = ""}'
    manifest = written(
        tmp_path, ROOT / "reference_impl" / "target.toml", ('path = "/events"', f'path = "/events"\n{batch}')
    )
    code, checks, told = shaken(typed, manifest, tmp_path)
    assert code == 0, told
    assert checks["refuses_rightly"]["counts"]["malformed"] > 5
    sends = [op for op in ops(tmp_path) if op["kind"] == "send"]
    assert {op["detail"]["status"] for op in sends} <= {202, 400, 413, 422} | RETRIED
    together = Counter(op["ended_at"] // 1_000_000 for op in sends)
    assert max(together.values()) > 4  # the answers of a request come at once


@pytest.mark.nightly
@pytest.mark.parametrize("kept", [True, nightly(False)])
def test_events_with_ids_of_the_server_are_matched_by_reference(kept: bool, tmp_path: Path, typed: Typed) -> None:
    manifest = written(
        tmp_path,
        MANIFEST,
        ('id = "/order/id"', 'id = {response = "/id"}\nreference = "/order/id"'),
        ("select id as event_id,", "select position::text as event_id,"),
        ("'id', id,", "'id', id," if kept else "'id', null,"),
    )
    code, checks, told = shaken(typed, manifest, tmp_path)
    assert code == (0 if kept else 2), told
    if kept:
        assert checks["content_intact"]["counts"]["compared"] > 150
