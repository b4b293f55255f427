"""Validation: what is taken, what is refused, and that each refusal names the member at fault."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from reference_impl.errors import RefusedError
from reference_impl.event import event, i_json
from shaketable.event import parse, same
from shaketable.load.mix import malformed
from shaketable.load.mix.shape import Expect
from tests.reference_impl.conftest import NOW, wire

ID = "0b8f9a52-6c1e-4c59-9a37-3f4d2e9c1a77"
HEX = ID.replace("-", "")


def accept(body: bytes) -> event.Stamped:
    return event.accept(body, NOW, 32)


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"timestamp": ...}, "timestamp"),
        ({"action": ...}, "action"),
        ({"status": ...}, "status"),
        ({"action": ""}, "action"),
        ({"action": None}, "action"),
        ({"status": "done"}, "status"),
        ({"eventId": "17"}, "eventId"),
        ({"eventId": 17}, "eventId"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"timestamp": "2026-11-23T10:15:02"}, "timestamp"),
        ({"timestamp": "2026-02-30T10:15:02Z"}, "timestamp"),
        ({"timestamp": "1999-12-31T23:59:59.999999Z"}, "timestamp"),
        ({"timestamp": (NOW + timedelta(hours=25)).isoformat()}, "timestamp"),
        ({"dataClassification": "SECRET"}, "dataClassification"),
        ({"organizationId": 5}, "organizationId"),
        ({"ttl": 1.5}, "ttl"),
        ({"ttl": "3600"}, "ttl"),
        ({"ttl": 2**60}, "ttl"),
        ({"eventId": f"{{{ID}}}"}, "eventId"),
        ({"eventId": f"{{{HEX}}}--"}, "eventId"),
        ({"eventId": f"urn:{HEX}"}, "eventId"),
        ({"eventId": f"uuid{ID[:32]}"}, "eventId"),
        ({"eventId": f"  {ID[2:]}"}, "eventId"),
        ({"eventId": f"0_{ID[2:]}"}, "eventId"),
        ({"eventId": f"+{ID[1:]}"}, "eventId"),
        ({"eventId": f"\u0660{ID[1:]}"}, "eventId"),
        ({"eventId": HEX}, "eventId"),
        ({"eventId": f"{HEX}----"}, "eventId"),
        ({"eventId": f"{ID}\n"}, "eventId"),
        ({"timestamp": "2026-11-23T10:15:02+01:60"}, "timestamp"),
        ({"timestamp": "2026-11-23T10:15:02-00:99"}, "timestamp"),
        ({"timestamp": "2026-11-23T10:15:02+24:00"}, "timestamp"),
        ({"timestamp": "2016-12-31T23:59:60Z"}, "timestamp"),
        ({"timestamp": "2026-11-22T24:00:00Z"}, "timestamp"),
        ({"note": {"deep": ["a\0b"]}}, "note"),
        ({"a\0b": 1}, "a\\u0000b"),
        ({"outcomeDescription": "\0"}, "outcomeDescription"),
        ({"note": 10**309}, "note"),
    ],
)
def test_a_refusal_names_the_member(members: dict[str, Any], field: str) -> None:
    whole = json.loads(wire()) | {k: v for k, v in members.items() if v is not ...}
    for name in [k for k, v in members.items() if v is ...]:
        del whole[name]
    with pytest.raises(RefusedError) as error:
        accept(json.dumps(whole).encode())
    assert (error.value.field, error.value.status) == (field, 422)


@pytest.mark.parametrize(
    ("raw", "field", "status"),
    [
        (rb'"\ud800"', "note", 422),
        (rb'{"a": ["\udc00x"]}', "note", 422),
        (b"1e400", "note", 422),
        (b"-1e400", "note", 422),
        (b"NaN", "note", 422),
        (b'"\xff"', "event", 400),
        (b"[" * 40 + b"]" * 40, "event", 422),
        (b"[" * 5000 + b"]" * 5000, "event", 422),
    ],
)
def test_json_that_cannot_be_kept_is_refused(raw: bytes, field: str, status: int) -> None:
    with pytest.raises(RefusedError) as error:
        accept(wire()[:-1] + b',"note":' + raw + b"}")
    assert (error.value.field, error.value.status) == (field, status)


@pytest.mark.parametrize(
    ("more", "name"),
    [
        (b'"action":"other"', "action"),
        (b'"n":1,"n":1', "n"),
        (b'"n":1,"\\u006e":2', "n"),
        (b'"n" : 1, "n" : 2', "n"),
        (b'"deep":[{"n":{"m":1,"m":2}}]', "m"),
        (b'"a":"\\u003a","n":1,"n":2', "n"),
        (b'"a":"\\u003A","n":1,"n":2', "n"),
        (b'"a":{"\\u003a":1},"n":":","n":"x"', "n"),
        (b'"big":' + b"0" + b',"n":1,"n":' + b"9" * 300, "n"),
    ],
)
def test_a_name_that_comes_twice_in_an_object_is_refused(more: bytes, name: str) -> None:
    with pytest.raises(RefusedError) as error:
        accept(wire()[:-1] + b"," + more + b"}")
    assert (error.value.field, error.value.status) == (name, 422)


@pytest.mark.parametrize(
    "more", [b'"a":":","b":"\\":","c":"\\u003a"', b'"a":{"n":1},"b":{"n":1}', b'"\\u003a":1,"b":1']
)
def test_names_in_different_objects_and_colons_in_text_are_no_doubles(more: bytes) -> None:
    assert accept(wire()[:-1] + b"," + more + b"}").event.details


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'"x"', b"{", b"{} {}"])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(RefusedError) as error:
        accept(body)
    assert error.value.status == 400


def test_every_malformed_shape_of_the_mix_is_refused_and_what_is_doubtful_is_refused_or_kept() -> None:
    for shape in malformed.shapes(NOW.date()):
        sent = shape.wire(ID)
        try:
            kept = event.wire(accept(sent).event)
        except RefusedError:
            continue
        assert shape.expect is Expect.EITHER or shape.pad, shape.why  # the padded one is the intake's to refuse
        assert shape.pad or same(parse(sent), kept) == [], shape.why


def test_members_without_a_name_in_the_contract_land_in_details() -> None:
    taken = accept(wire(ip="10.0.0.1", details={"a": None}, principalId=None)).event
    assert taken.details == {"ip": "10.0.0.1", "details": {"a": None}}
    assert event.wire(taken)["ip"] == "10.0.0.1"


def test_brackets_inside_of_text_are_no_depth() -> None:
    assert accept(wire(note="[" * 500, other='"[{\\"' * 50)).event.details is not None


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2026-11-23T10:15:02Z", "2026-11-23T10:15:02.000000Z"),
        ("2026-11-23t10:15:02.1234569z", "2026-11-23T10:15:02.123456Z"),
        ("2026-11-23T10:15:02.5+02:00", "2026-11-23T08:15:02.500000Z"),
        ("2000-01-01T00:00:00Z", "2000-01-01T00:00:00.000000Z"),
    ],
)
def test_timestamps_are_instants_cut_to_microseconds(sent: str, kept: str) -> None:
    assert accept(wire(timestamp=sent)).event.timestamp == kept


def test_a_missing_id_is_assigned() -> None:
    assert uuid.UUID(accept(wire(eventId=...)).event.event_id).version == 4


def test_an_id_is_compared_without_case() -> None:
    name = str(uuid.uuid4())
    assert accept(wire(eventId=name.upper())).event.event_id == name


@pytest.mark.parametrize(
    "value",
    [
        {"a": [1e-7] * 9000},
        [[{"é": ["x" * 9000, None, True]}] * 3] * 3,
        {"": {"a": "x" * 9000}},
        ["x" * 9000, 2**70],
        "x" * 9000,
        [[]] * 9000,
    ],
)
def test_large_json_decodes_to_the_same_piece_by_piece(value: Any) -> None:
    for body in (json.dumps(value).encode(), json.dumps(value, indent=1, ensure_ascii=False).encode()):
        assert i_json.decode(body) == msgspec.json.decode(body)


@pytest.mark.parametrize(
    "wrong", [b"[1,]", b'{"a":1,}', b'["\\ud800"]', b'["\xff"]', b"[1] 2", b"[01]", b"[NaN]", b'{"a":[1e400]}', b"[1"]
)
def test_wrong_json_is_found_in_each_piece(wrong: bytes) -> None:
    pad = b'"' + b"x" * 9000 + b'"'
    for body in (b"[" + pad + b"," + wrong + b"]", b'{"a":' + wrong + b',"b":' + pad + b"}", wrong + b" " * 9000):
        with pytest.raises((msgspec.MsgspecError, UnicodeDecodeError)):
            i_json.decode(body)


@pytest.mark.parametrize(("digits", "refused"), [("1" * 308, False), ("9" * 309, True), ("3" * 400, True)])
def test_integers_that_no_double_holds_are_refused(digits: str, refused: bool) -> None:
    body = wire()[:-1] + b',"n":[' + digits.encode() + b"]}"
    if refused:
        with pytest.raises(RefusedError, match="double"):
            event.accept(body, NOW, 32)
    else:
        event.accept(body, NOW, 32)
