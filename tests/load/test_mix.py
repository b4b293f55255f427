from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from shaketable import event
from shaketable.errors import ScenarioError
from shaketable.load.mix import Mix, everyday, malformed, numeric, parse
from shaketable.load.mix.corpus import corpus
from shaketable.load.mix.shape import Expect, Shape

TODAY = date(2026, 11, 23)
ID = "0b8f9a52-6c1e-4c59-9a37-3f4d2e9c1a77"
SMALL = Mix(shapes=60)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def shapes(cache: Path) -> list[Shape]:
    return corpus(SMALL, 1, TODAY, cache)


@pytest.mark.parametrize("text", ["malformed", "malformed=x", "salt=0.1", "malformed=-0.1", "twins=2", "shapes=0"])
def test_a_mix_that_cannot_be_is_refused_in_a_sentence_with_the_value(text: str) -> None:
    with pytest.raises(ScenarioError, match=f"expected .*{text.partition('=')[0]}.*: "):
        parse(text)


def test_a_mix_is_read_from_its_settings() -> None:
    assert parse("malformed=0.05, resent=0,organizations=7") == Mix(malformed=0.05, resent=0, organizations=7)
    assert parse("") == Mix()


def test_a_corpus_has_the_asked_number_of_different_good_shapes(shapes: list[Shape]) -> None:
    good = {msgspec.json.encode(shape.body) for shape in shapes if shape.expect is Expect.ACCEPT}
    assert len(good) == SMALL.shapes
    assert [shape.number for shape in shapes] == list(range(len(shapes)))


def test_good_shapes_keep_the_contract(shapes: list[Shape]) -> None:
    latest = datetime.combine(TODAY, datetime.min.time(), UTC) + timedelta(days=1)
    for shape in shapes:
        if shape.body is None:
            continue
        sent = event.parse(shape.wire(ID))
        assert sent["eventId"] == ID
        assert event.EARLIEST <= datetime.fromisoformat(sent["timestamp"]) < latest
        assert sent["action"]
        assert sent["status"] in event.STATUSES
        assert all(len(sent.get(name) or "") <= limit for name, limit in event.TEXT_LIMITS.items())
        shape.wire(ID).decode()  # no surrogates
        assert "\0" not in str(shape.body).replace("\\x00", "\0")


@pytest.mark.slow
def test_a_corpus_is_the_same_in_every_process_whatever_it_has_imported(shapes: list[Shape], tmp_path: Path) -> None:
    code = (
        "import sys, shaketable.checks.check, pathlib, datetime, msgspec; from shaketable.load.mix import Mix;"
        "from shaketable.load.mix.corpus import corpus;"
        f"c = corpus(Mix(shapes=60), 1, datetime.date(2026, 11, 23), pathlib.Path({str(tmp_path)!r}));"
        "sys.stdout.buffer.write(msgspec.json.encode(c))"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(event.__file__).parents[1])}
    other = subprocess.run([sys.executable, "-c", code], env=env, cwd=tmp_path, capture_output=True, check=True)
    assert msgspec.json.decode(other.stdout, type=list[Shape]) == shapes
    assert not (tmp_path / ".hypothesis").exists()


def test_a_cached_corpus_is_read_back_as_it_was(shapes: list[Shape], cache: Path) -> None:
    assert len(list(cache.glob("*.jsonl"))) == 1
    assert corpus(SMALL, 1, TODAY, cache) == shapes


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert corpus(Mix(shapes=3), 1, TODAY, tmp_path / "file" / "cache")


def test_a_torn_or_foreign_cache_is_drawn_again(tmp_path: Path) -> None:
    small = Mix(shapes=3)
    drawn = corpus(small, 1, TODAY, tmp_path)
    next(tmp_path.glob("*.jsonl")).write_text('{"number": "x"}\n')
    assert corpus(small, 1, TODAY, tmp_path) == drawn


def test_other_seeds_and_days_have_other_corpora(tmp_path: Path) -> None:
    small = Mix(shapes=5)
    one = corpus(small, 1, TODAY, tmp_path)
    assert one != corpus(small, 2, TODAY, tmp_path)
    assert one != corpus(small, 1, TODAY + timedelta(days=1), tmp_path)


def test_malformed_shapes_are_many_and_their_kinds_differ() -> None:
    kinds = list(malformed.shapes(TODAY))
    assert len(kinds) >= 60
    assert len({shape.wire(ID) for shape in kinds}) == len(kinds)
    assert {shape.expect for shape in kinds} == {Expect.REFUSE, Expect.EITHER}
    assert max(len(shape.wire(ID)) for shape in kinds) > 2**20
    assert not any(b"%EVENT_ID%" in shape.wire(ID) or b"%PAD%" in shape.wire(ID) for shape in kinds)


def test_what_may_be_kept_exactly_can_be_read_and_compared() -> None:
    for shape in malformed.shapes(TODAY):
        if shape.expect is Expect.EITHER:
            sent = event.parse(shape.wire(ID))
            assert sent["eventId"] == ID
            assert event.same(sent, sent) == []


def test_every_kind_of_wrong_id_offset_second_and_doubled_name_is_asked() -> None:
    whys = [shape.why for shape in malformed.shapes(TODAY)]
    assert whys.count("eventId of an unknown value") >= 20
    assert sum("twice" in why for why in whys) >= 6
    assert {f"timestamp: {why}" for why in ("offset of 60 minutes", "a leap second", "hour 24")} <= set(whys)


def test_a_shape_survives_its_file_whatever_bytes_it_has() -> None:
    for shape in malformed.shapes(TODAY):
        again = msgspec.json.decode(msgspec.json.encode(shape), type=Shape)
        assert again.wire(ID) == shape.wire(ID)


def test_a_mix_that_asks_for_everyday_kinds_has_them_beside_the_others_and_they_are_valid(
    shapes: list[Shape], cache: Path
) -> None:
    more = corpus(Mix(shapes=SMALL.shapes, everyday=0.5), 1, TODAY, cache)
    assert more[: len(shapes)] == shapes
    plain = more[len(shapes) :]
    assert {shape.why for shape in plain} == set(everyday.KINDS)
    assert [shape.number for shape in more] == list(range(len(more)))
    for shape in plain:
        sent = event.parse(shape.wire(ID, "org-1"))
        assert sent["status"] in event.STATUSES
        assert sent["dataClassification"] in event.CLASSIFICATIONS


def test_numeric_shapes_are_there_for_a_target_that_says_how_it_keeps_numbers(tmp_path: Path) -> None:
    day, small = date(2026, 1, 2), Mix(shapes=20)
    shapes = [shape for shape in corpus(small, 1, day, tmp_path, numbers=True) if shape.numeric]
    sent = [json.loads(shape.wire(ID), parse_float=str, parse_int=str) for shape in shapes]
    assert {each["largeInteger"] for each in sent} == {*numeric.INTEGERS}
    assert {each["longDecimal"] for each in sent} == {*numeric.DECIMALS}
    assert {each["withExponent"] for each in sent} == {*numeric.EXPONENTS}
    assert not any(shape.numeric for shape in corpus(small, 1, day, tmp_path))


def test_sized_shapes_are_around_powers_of_two_and_around_the_limit(tmp_path: Path) -> None:
    limit = 1 << 18
    shapes = corpus(Mix(shapes=20), 1, date(2026, 1, 2), tmp_path, limit)
    large = [shape for shape in shapes if shape.sized]
    sizes = [len(shape.wire("0b8f9a52-6c1e-4c59-9a37-3f4d2e9c1a77")) for shape in large]
    assert {size + off for size in (4096, 1 << 16, 1 << 17) for off in (-1, 0, 1)} <= set(sizes)
    assert max(sizes) == limit
    (over,) = [shape for shape in shapes if shape.why == f"{limit + 1:,} bytes"]
    assert over.expect is Expect.REFUSE
    assert not any(shape.sized for shape in corpus(Mix(shapes=20), 1, date(2026, 1, 2), tmp_path))


def test_month_ends_are_valid_and_each_brings_months_of_its_own(tmp_path: Path) -> None:
    shapes = [shape for shape in corpus(Mix(shapes=5, month_ends=0.1), 1, TODAY, tmp_path) if shape.month_end]
    instants = [datetime.fromisoformat(event.parse(shape.wire(ID))["timestamp"]).astimezone(UTC) for shape in shapes]
    old = [at for at in instants if at.date() != TODAY]
    assert min(old) >= event.EARLIEST
    assert max(instants) == datetime(2026, 11, 23, 23, 59, 59, 999_999, UTC)
    months = [(at.year, at.month) for at in old]
    assert months[:6] == [(2000, 1), (2000, 2)] * 3
    assert set(Counter(months).values()) == {3}
    written = [shape.body["timestamp"][:7] for shape in shapes if shape.body]
    assert any(text != f"{at:%Y-%m}" for text, at in zip(written, instants, strict=True)), "another month by its zone"
    assert not any(shape.month_end for shape in corpus(Mix(shapes=5), 1, TODAY, tmp_path))
