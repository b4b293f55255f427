import csv
import io
import json

import pandas as pd

from shaketable.report.tables import forms

NAMED = pd.DataFrame({"n": [1200, 2], "x": [0.5, None], "who": ["a|b", "c\u202e"]}, index=["first", "second"])
NUMBERED = pd.DataFrame([{"who": "d"}])
NONE = pd.DataFrame()


def test_text_has_a_dash_for_what_is_not_known_and_no_mere_row_numbers() -> None:
    assert forms.text(NAMED).splitlines()[2].split()[:3] == ["second", "2", "-"]
    assert forms.text(NUMBERED).split() == ["who", "d"]


def test_markdown_is_a_table_that_foreign_text_cannot_break() -> None:
    assert forms.markdown(NAMED).splitlines() == [
        "|  | n | x | who |",
        "| --- | ---: | ---: | --- |",
        "| first | 1,200 | 0.5 | a\\|b |",
        "| second | 2 | – | c⟨U+202E⟩ |",
    ]


def test_what_a_target_says_is_no_markup_and_no_command() -> None:
    hostile = pd.DataFrame({"state": ["<IMG src=x>", "a\\|b", "##[add-mask]x\n::error::y\x1b"]})
    _, _, image, pipe, commands = forms.markdown(hostile).splitlines()
    assert image == r"| \<IMG src=x\> |"
    assert pipe == r"| a\\\|b |"
    assert "##[" not in commands
    text = forms.text(hostile)
    assert not [word for word in ("##[", "::", "\x1b") if word in text]
    told = forms.json(forms.records(hostile))
    assert "##[" not in told
    assert json.loads(told)[2]["state"] == "##[add-mask]x\n::error::y\x1b"


def test_json_has_null_for_what_is_not_known() -> None:
    assert json.loads(forms.json(forms.records(NAMED)))[1] == {"row": "second", "n": 2, "x": None, "who": "c\u202e"}


def test_csv_has_one_header_for_all_tables() -> None:
    told = forms.csv(({"table": "one"}, NAMED), ({"table": "two"}, NUMBERED), ({"table": "none"}, NONE))
    rows = list(csv.DictReader(io.StringIO(told)))
    assert list(rows[0]) == ["table", "row", "n", "x", "who"]
    assert [(row["table"], row["row"], row["who"]) for row in rows] == [
        ("one", "first", "a|b"),
        ("one", "second", "c\u202e"),
        ("two", "", "d"),
    ]
    assert rows[1]["x"] == ""


def test_empty_table_is_nothing() -> None:
    assert (forms.text(NONE), forms.markdown(NONE), forms.records(NONE), forms.csv()) == ("", "", [], "")
